"""What of a browser's marks can be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.client_marks import ABANDONED, KNOWN, MOST_MS, STEPS, completes, doubt, is_lost_send, known

HONEST = {"click": 0.0, "sent": 1.0, "accepted": 14.0, "start": 15.0, "first_chunk": 300.0, "first_paint": 310.0,
          "end": 2000.0}


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        pytest.param(HONEST, "", id="honest"),
        pytest.param({"end": 900.0, "first_paint": 920.0}, "", id="a whole answer is painted after its end"),
        pytest.param({"start": 3.0, "accepted": 5.0}, "", id="the start may come before the ack"),
        pytest.param({}, "empty", id="nothing"),
        pytest.param({"sent": -0.1}, "negative", id="before the click"),
        pytest.param({"first_paint": MOST_MS + 1}, "absurd", id="longer than any answer"),
        pytest.param({"first_paint": 1e308}, "absurd", id="a huge number"),
        pytest.param({"first_paint": 1e308, "end": 1e308}, "absurd", id="numbers whose sum is none"),
        pytest.param({"first_paint": float("nan")}, "not_finite", id="not a number"),
        pytest.param({"first_paint": float("inf")}, "not_finite", id="infinity"),
        pytest.param({"click": 0.1, "sent": 1.0}, "", id="a clock looked at twice"),
        pytest.param({"click": 50.0, "sent": 60.0}, "disordered", id="a click that is not the beginning"),
        pytest.param(HONEST | {"accepted": 0.5}, "disordered", id="accepted before it was sent"),
        pytest.param(HONEST | {"first_chunk": 14.0}, "disordered", id="words before the start"),
        pytest.param(HONEST | {"first_paint": 299.0}, "disordered", id="painted before it came"),
        pytest.param(HONEST | {"end": 200.0}, "disordered", id="over before the first words"),
    ],
)
def test_marks_are_believed_or_a_word_says_why_not(marks: dict[str, float], reason: str) -> None:
    assert doubt(marks) == reason


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.floats(allow_nan=True)))
def test_whatever_is_believed_is_bounded_and_in_order(marks: dict[str, float]) -> None:
    if doubt(marks) == "":
        assert all(0 <= ms <= MOST_MS for ms in marks.values())
        way = [marks[step] for step in ("click", "sent", "start", "first_chunk", "end") if step in marks]
        assert way == sorted(way)


@given(st.lists(st.floats(0, MOST_MS), min_size=len(STEPS) - 1, max_size=len(STEPS) - 1))
def test_marks_in_the_order_of_the_way_are_believed(times: list[float]) -> None:
    assert doubt(dict(zip(STEPS, [0.0, *sorted(times)], strict=True))) == ""


def test_what_is_not_known_here_is_left_out() -> None:
    assert known({"sent": 1, "mood": 7, "a" * 32: 3}) == {"sent": 1.0}


def test_a_page_that_was_left_and_shown_again_may_tell_on() -> None:
    left = {"click": 0.0, "sent": 1.0, "abandoned_before_words": 50.0}
    assert completes({**left, "returned": 90.0, "end": 100.0}, left)
    assert not completes({**left, "end": 100.0}, left), "it does not say that it was shown again"
    assert not completes({**left, "sent": 0.5, "returned": 90.0}, left), "it tells another story"
    assert not completes({**HONEST, "returned": 90.0}, HONEST), "it had not been left"


@pytest.mark.parametrize("mark", ["ack_timeout", "failed", "abandoned_before_accept"])
def test_a_send_that_never_arrived_is_known_by_its_marks(mark: str) -> None:
    assert is_lost_send({"click": 0.0, "sent": 1.0, mark: 5000.0})
    assert not is_lost_send({"click": 0.0, "accepted": 3.0, mark: 5000.0})


def test_a_refused_send_and_one_that_was_accepted_are_not_lost() -> None:
    assert not is_lost_send({"click": 0.0, "sent": 1.0, "refused": 9.0})
    assert not is_lost_send({"click": 0.0, "abandoned_before_words": 9.0})
    assert not is_lost_send(HONEST)


def test_each_state_has_its_mark() -> None:
    assert set(ABANDONED) < KNOWN
    assert list(ABANDONED.values()) == ["before_accept", "before_words", "mid_answer"]
