"""First words, completion, failure and abandonment, from every mixture of marks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.client_marks import KNOWN, STATES, doubt
from chat.figures import TOLERANCE_MS, Figures, Measured, figures, is_doubtful, on_one_clock

SERVER = {"received": 0.0, "accepted": 4.0, "first_content": 290.0, "first_frame": 300.0, "settled": 1990.0,
          "end_frame": 2000.0}
CLIENT = {"click": 0.0, "sent": 2.0, "accepted": 26.0, "start": 27.0, "first_chunk": 330.0, "first_paint": 345.0,
          "end": 2030.0}
DONE = Measured("stream", outcome="done", server=SERVER, client=CLIENT)
FAST = {"sent": 0.0, "first_chunk": 1.0, "first_paint": 2.0, "end": 3.0}


def found(of: Measured = DONE, *, server: dict[str, float] | None = None, client: Any = None, **fields: Any) -> Figures:
    """Of `of` with other fields; `server` is added to its marks, `client` replaces them."""
    return figures(of._replace(
        server={**of.server, **(server or {})}, client=of.client if client is None else client, **fields
    ))


def without(marks: dict[str, float], *names: str) -> dict[str, float]:
    return {name: ms for name, ms in marks.items() if name not in names}


def test_the_browser_is_believed_where_its_marks_can_be() -> None:
    assert found() == Figures(345.0, "browser", 2030.0)


def test_without_a_browser_the_server_tells() -> None:
    assert found(client={}) == Figures(300.0, "server", 2000.0)


def test_a_hidden_page_paints_nothing_and_the_server_tells_of_the_words_only() -> None:
    assert found(client=without(CLIENT, "first_paint")) == Figures(300.0, "server", 2030.0)


def test_nobody_sees_what_has_not_been_written() -> None:
    assert found(client=FAST) == Figures(300.0, "server", 2000.0, is_doubtful=True)


def test_a_browsers_coarse_clock_is_tolerated_and_no_more() -> None:
    at = SERVER["first_frame"] + CLIENT["sent"] - TOLERANCE_MS
    honest = without(CLIENT, "first_chunk", "start")
    assert found(client={**honest, "first_paint": at}).ttft_source == "browser"
    assert found(client={**honest, "first_paint": at - 1}).ttft_source == "server"


def test_the_clock_of_the_server_begins_after_the_send_however_long_that_took() -> None:
    slow = {name: ms + 40_000 if name != "click" else ms for name, ms in CLIENT.items()}
    assert found(client=slow) == Figures(40_345.0, "browser", 42_030.0)
    assert found(client={**slow, "first_paint": 345.0, "first_chunk": 330.0}).is_doubtful


def test_marks_alone_prove_nothing_before_the_server_has_told() -> None:
    assert figures(Measured("stream", client=CLIENT)) == Figures()


@pytest.mark.parametrize("path", ["completed", "fallback"])
def test_of_a_whole_answer_nothing_is_seen_before_its_end(path: str) -> None:
    assert found(client={}, path=path).ttft_ms == 2000.0
    assert found(path=path).ttft_source == "server", "painted at 345 ms, it says"
    honest = {"click": 0.0, "sent": 2.0, "accepted": 2025.0, "start": 2025.0, "end": 2025.0, "first_paint": 2040.0}
    assert found(path=path, client=honest) == Figures(2040.0, "browser", 2025.0)


def test_what_a_continued_answer_shows_at_once_is_old() -> None:
    assert found(kind="continue", client={**CLIENT, "first_chunk": 28.0, "first_paint": 40.0}) == Figures(
        300.0, "server", 2030.0
    )


def test_first_words_of_an_owner_that_has_gone_are_known_to_the_browser_only() -> None:
    taken = {"took_over": 900.0, "first_frame": 1200.0}
    assert found(server=taken) == Figures(345.0, "browser", 2030.0)
    assert found(server=taken, client={}) == Figures(None, "", 2000.0)


def test_an_answer_without_words_has_no_first_words() -> None:
    failed = found(
        DONE._replace(server=without(SERVER, "first_content", "first_frame")), outcome="failed",
        error_code="provider_busy", client=without(CLIENT, "first_chunk", "first_paint"),
    )
    assert failed == Figures(failure="backend_failed")
    forged = found(DONE._replace(server=without(SERVER, "first_frame")), outcome="failed", error_code="x")
    assert (forged.ttft_ms, forged.is_doubtful) == (None, True)


@pytest.mark.parametrize("outcome", ["stopped", "interrupted", "failed", ""])
def test_only_what_was_written_to_its_end_was_completed(outcome: str) -> None:
    assert found(outcome=outcome).completion_ms is None


# Failure


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        pytest.param({"outcome": "failed", "error_code": "provider_busy"}, "backend_failed", id="no words"),
        pytest.param({"outcome": "interrupted", "error_code": "provider_gap_timeout"}, "backend_failed", id="midway"),
        pytest.param({"outcome": "failed", "error_code": "content_filtered"}, "", id="the model would not"),
        pytest.param({"outcome": "stopped"}, "", id="stopped"),
        pytest.param({"client": {"click": 0.0, "ack_timeout": 5000.0}}, "ack_timeout", id="brought by another way"),
        pytest.param({"client": {"ack_timeout": 5000.0}, "outcome": "failed"}, "backend_failed", id="both: the graver"),
        pytest.param({"client": {"click": 0.0, "failed": 30.0}}, "backend_failed", id="refused for a fault of ours"),
        pytest.param({"client": {"click": 0.0, "refused": 30.0}}, "", id="refused"),
    ],
)
def test_a_failure_has_one_name(fields: dict[str, Any], failure: str) -> None:
    assert found(**fields).failure == failure


# Abandonment


@pytest.mark.parametrize(
    ("path", "left", "state"),
    [
        ("stream", 4.0, "before_accept"), ("stream", 299.0, "before_words"), ("stream", 301.0, "mid_answer"),
        ("sse", 299.0, "before_words"), ("sse", 301.0, "mid_answer"),
        ("completed", 301.0, "before_words"), ("fallback", 1999.0, "before_words"), ("completed", 3.0, "before_accept"),
    ],
)
def test_the_server_sees_in_which_state_the_last_reader_left(path: str, left: float, state: str) -> None:
    assert found(path=path, server={"left": left}, client={}).abandoned == state


def test_who_came_back_has_not_left() -> None:
    assert found(server={"left": 100.0, "back": 150.0}, client={}).abandoned == ""
    assert found(server={"left": 150.0, "back": 100.0}, client={}).abandoned == "before_words"


def test_who_stopped_the_answer_waits_for_nothing() -> None:
    assert found(outcome="stopped", server={"left": 800.0}, client={}).abandoned == ""
    assert found(client={"stopped": 400.0, "abandoned_mid_answer": 410.0}).abandoned == ""


def test_after_another_owner_there_were_words() -> None:
    taken = {"took_over": 900.0, "first_frame": 1200.0, "left": 950.0}
    assert found(server=taken, client={}).abandoned == "mid_answer"


@pytest.mark.parametrize("state", STATES)
def test_the_browsers_word_is_enough(state: str) -> None:
    assert figures(Measured("stream", client={"click": 0.0, "sent": 1.0, f"abandoned_{state}": 9.0})).abandoned == state


def test_of_both_the_earlier_state_counts_once() -> None:
    later = found(server={"left": 320.0}, client={"sent": 1.0, "abandoned_before_words": 290.0})
    earlier = found(server={"left": 200.0}, client={"sent": 1.0, "abandoned_mid_answer": 400.0})
    assert (later.abandoned, earlier.abandoned) == ("before_words", "before_words")


def test_a_page_shown_again_and_a_new_page_take_the_beacon_back() -> None:
    beacon = {"click": 0.0, "sent": 10.0, "accepted": 30.0, "abandoned_before_words": 110.0}
    assert found(client=beacon).abandoned == "before_words"
    assert found(client={**beacon, "returned": 400.0}).abandoned == ""
    assert found(client=beacon, server={"back": 250.0}).abandoned == ""
    assert found(client=beacon, server={"back": 50.0}).abandoned == "before_words", "that was before it was left"


def test_a_send_whose_ack_was_not_awaited_may_have_been_read_by_the_next_page() -> None:
    beacon = {"click": 0.0, "sent": 1.0, "abandoned_before_accept": 3.0}
    assert found(client=beacon).abandoned == ""
    assert found(client=beacon, server={"left": 3.0}).abandoned == "before_accept"


def test_who_waits_for_a_whole_answer_has_seen_no_ack() -> None:
    beacon = {"click": 0.0, "sent": 1.0, "abandoned_before_accept": 900.0}
    assert found(client=beacon, path="completed").abandoned == "before_words"
    at_once = {**beacon, "abandoned_before_accept": 4.0}
    assert found(client=at_once, path="completed", server={"left": 3.0}).abandoned == "before_accept"


# Whatever is told

MARKS = st.floats(0, 600_000)
SERVERS = st.dictionaries(st.sampled_from([*SERVER, "left", "back", "took_over"]), MARKS)
CLIENTS = st.dictionaries(st.sampled_from(sorted(KNOWN)), MARKS)
ALL = st.builds(
    Measured, path=st.sampled_from(["stream", "sse", "completed", "fallback"]),
    kind=st.sampled_from(["reply", "regenerate", "continue"]),
    outcome=st.sampled_from(["", "done", "stopped", "interrupted", "failed"]),
    error_code=st.sampled_from(["", "provider_busy", "content_filtered"]), server=SERVERS, client=CLIENTS,
)


@given(ALL)
def test_figures_are_of_their_kind_whatever_is_told(of: Measured) -> None:
    result = figures(of)
    assert result.failure in ("", "ack_timeout", "backend_failed")
    assert result.abandoned in ("", *STATES)
    assert (result.ttft_ms is None) == (result.ttft_source == "")
    assert {result.ttft_ms, result.completion_ms} <= {None, *of.server.values(), *of.client.values()}
    assert not (result.is_doubtful and result.ttft_source == "browser")
    if not of.server:
        assert (result.ttft_ms, result.completion_ms) == (None, None)


@given(ALL)
def test_no_browser_makes_first_words_earlier_than_they_were(of: Measured) -> None:
    result = figures(of)
    if result.ttft_source == "browser" and "took_over" not in of.server:
        words = "end_frame" if of.path in ("completed", "fallback") else "first_frame"
        assert result.ttft_ms is not None
        assert result.ttft_ms >= of.server.get(words, 0.0) - TOLERANCE_MS


@given(st.floats(0, 20_000), st.floats(0, 20_000), st.floats(0, 500))
def test_an_honest_browser_is_believed_however_far_away_it_is(there: float, back: float, coarseness: float) -> None:
    sent = 2.0
    offset = sent + there
    seen = {"click": 0.0, "sent": sent, "accepted": offset + SERVER["accepted"] + back,
            "first_chunk": offset + SERVER["first_frame"] + back, "end": offset + SERVER["end_frame"] + back}
    seen["first_paint"] = seen["first_chunk"] + coarseness
    seen["end"] = max(seen["end"], seen["first_chunk"])
    assert doubt(seen) == ""
    assert not is_doubtful(DONE._replace(client=seen))


def test_nothing_is_seen_before_it_was_written() -> None:
    server = {"received": 0.0, "accepted": 4.0, "first_frame": 200.0, "end_frame": 1880.0}
    client = {"click": 0.0, "sent": 1.0, "accepted": 45.0, "first_chunk": 206.0, "first_paint": 219.0, "end": 1890.0}
    order = [name for _, _, name in on_one_clock(server, client)]
    assert order.index("first_frame") < order.index("first_chunk")
    assert order.index("end_frame") < order.index("end")


def test_both_sides_can_be_laid_on_one_clock() -> None:
    marks = on_one_clock({"received": 0.0, "accepted": 4.0}, {"click": 0.0, "sent": 2.0, "accepted": 26.0})
    assert [(side, name) for _, side, name in marks] == [
        ("browser", "click"), ("browser", "sent"), ("server", "received"), ("server", "accepted"),
        ("browser", "accepted"),
    ]
    assert marks[2][0] == 12.0
