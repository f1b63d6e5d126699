"""What is promoted, held, rolled back, and what is not known; and the sentences that say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.rollout.conditions import Rules
from chat.rollout.evidence import Evidence, Minute, begun
from chat.rollout.slos import SLOS
from chat.rollout.tallies import NONE, Tally
from chat.rollout.verdicts import Decision, Verdict, decide

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTES, A_MINUTE = 26 * 60, timedelta(minutes=1)
#: Bad ones of 200 minutes' requests, which are 2,000.
HEALTHY = {"ttft": 40, "completion": 40, "failures": 4, "ack_timeouts": 1, "lost": 0}
Change = Callable[[int, dict[str, Any]], object]


def stage(change: Change = lambda minute, fields: None, minutes: int = MINUTES, **bad: Any) -> Evidence:
    """A stage at ten requests a minute; `bad` ones of 2,000, or healthy; `change` edits a minute's fields."""
    evidence, shares = begun(BEGAN), {**HEALTHY, **bad}
    for minute in range(1, minutes + 1):
        stream = {key: Tally(10, _due(bad_ones, minute)) for key, bad_ones in shares.items()}
        control = {key: Tally(10, _due(HEALTHY[key], minute)) for key in HEALTHY if key != "lost"}
        fields: dict[str, Any] = {"stream": stream, "control": control, "requests": 10, "timed": 9}
        fields["at"] = BEGAN + minute * A_MINUTE
        change(minute, fields)
        evidence.feed(Minute(**fields))
    return evidence


def _due(of_2000: int, minute: int) -> int:
    """Evenly over time."""
    return minute * of_2000 // 200 - (minute - 1) * of_2000 // 200


def verdict(evidence: Evidence, after: timedelta = timedelta(), **rules: Any) -> Verdict:
    return decide(evidence, evidence.looked + after, Rules(**rules))


def test_a_healthy_stage_is_promoted_with_its_evidence() -> None:
    found = verdict(stage())
    assert found.decision == Decision.PROMOTE
    assert len(found.reasons) == len(SLOS)
    assert found.reasons[1] == (
        "31 of 15,600 sends failed (0.2 %). The true share lies between 0.078 % and 0.32 %; the limit is 1 %."
    )
    assert found.reasons[0] == "0 of 15,600 answers arrived with a part lost or doubled."


@pytest.mark.parametrize(("key", "bad"), [("ttft", 300), ("completion", 300), ("failures", 60), ("ack_timeouts", 40)])
def test_a_share_over_its_limit_rolls_back_and_says_which(key: str, bad: int) -> None:
    found = verdict(stage(lambda *_: None, 300, **{key: bad}))
    assert found.decision == Decision.ROLLBACK
    assert found.reasons[0].endswith("All of it is over the limit.")
    assert [reason for reason in found.reasons if "over the limit" in reason] == [found.reasons[0]]


def failing_lately(minutes: int) -> Change:
    def fail(minute: int, fields: dict[str, Any]) -> None:
        if minute > MINUTES - minutes:
            fields["stream"]["failures"] = Tally(10, minute % 3 == 0)
    return fail


def test_a_share_that_has_become_bad_rolls_back_and_says_since_when() -> None:
    found = verdict(stage(failing_lately(150)))
    assert found.decision == Decision.ROLLBACK
    assert found.reasons[0].startswith("In the last 2.5 hours, 50 of 1,4")
    assert "The limit is 1 %; traffic within it looks like this in one stage of" in found.reasons[0]


def test_a_share_that_looks_worse_lately_is_not_promoted() -> None:
    found = verdict(stage(failing_lately(60)))
    assert found.decision == Decision.HOLD
    assert found.reasons[0] == (
        "Lately it looks worse: In the last 61 minutes, 21 of 610 sends failed (3.4 %). The limit is 1 %."
    )


def test_the_first_lost_answer_is_one_strike_and_out() -> None:
    def lose(minute: int, fields: dict[str, Any]) -> None:
        fields["stream"]["lost"] = Tally(10, minute == 300)

    found = verdict(stage(lose, minutes=300))
    assert found.decision == Decision.ROLLBACK
    assert found.reasons[0] == (
        "1 of 3,000 answers arrived with a part lost or doubled (0.033 %). One in 10,000 is one too many."
    )


def test_one_report_after_very_many_answers_asks_a_person() -> None:
    def lose(minute: int, fields: dict[str, Any]) -> None:
        fields["stream"]["lost"] = Tally(10, minute == MINUTES)

    found = verdict(stage(lose))
    assert found.decision == Decision.HOLD
    assert found.reasons[0].endswith("is not promoted without a person's look at it.")


def test_at_the_limit_itself_nothing_is_proven() -> None:
    found = verdict(stage(failures=20))
    assert found.decision == Decision.HOLD
    assert found.reasons[0].startswith("Not proven yet: 156 of 15,600 sends failed, which may still be up to 1.3 %;")


def test_within_the_limit_but_worse_than_the_control_cohort_is_held() -> None:
    found = verdict(stage(failures=14))
    assert found.decision == Decision.HOLD
    assert found.reasons[0].startswith("Not proven yet to be no worse than the control cohort: 109 of 15,600 sends")


def test_a_stage_is_watched_for_a_day() -> None:
    found = verdict(stage(minutes=20 * 60))
    assert found.decision == Decision.HOLD
    assert found.reasons[0] == "A stage is watched for 24 hours without a gap before it grows: 4 hours to go."


def test_nothing_comes_after_the_last_stage() -> None:
    assert verdict(stage(lambda _, fields: fields.update(control={})), is_last=True).decision == Decision.HOLD


def test_a_gap_begins_the_waiting_anew() -> None:
    def later(minute: int, fields: dict[str, Any]) -> None:
        fields["at"] += timedelta(hours=3) if minute >= MINUTES - 60 else timedelta()

    found = verdict(stage(later))
    assert found.decision == Decision.HOLD
    assert "23 hours to go" in found.reasons[0]


MISSING: dict[str, tuple[Change, str]] = {
    "no requests": (lambda _, fields: fields.update(stream={}, requests=0, timed=0), "No request has been streamed"),
    "no control cohort": (lambda _, fields: fields.update(control={}), "Too few in the control cohort"),
    "no browser's marks": (lambda _, fields: fields.update(timed=0), "Browsers have timed 0 of 15,600"),
    "no checksums": (lambda _, fields: fields["stream"].pop("lost"), "Too few in the streaming cohort"),
    "no first words": (lambda _, fields: fields["stream"].pop("ttft"), "Too few in the streaming cohort"),
    "no acknowledgements": (lambda _, fields: fields["stream"].pop("ack_timeouts"), "Too few in the streaming cohort"),
    "quiet for a while": (
        lambda minute, fields: minute > MINUTES - 20 and fields.update(stream={}, requests=0, timed=0),
        "No request has been heard of for 20 minutes.",
    ),
    "nobody looked": (
        lambda minute, fields: minute == MINUTES and fields.update(at=fields["at"] + timedelta(hours=3)),
        "Nobody looked for 3 hours",
    ),
    "a clock that went back": (
        lambda minute, fields: minute == MINUTES and fields.update(at=fields["at"] - timedelta(hours=3)),
        "The clock went back by 3 hours",
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_data_neither_promotes_nor_rolls_back(name: str) -> None:
    change, told = MISSING[name]
    found = verdict(stage(change))
    assert found.decision == Decision.NOT_ENOUGH_DATA
    assert any(reason.startswith(told) for reason in found.reasons), found.reasons


def test_a_gate_that_stands_still_promotes_nothing() -> None:
    assert verdict(stage(), after=timedelta(minutes=10)).decision == Decision.NOT_ENOUGH_DATA
    assert verdict(stage(), after=-timedelta(minutes=1)).decision == Decision.NOT_ENOUGH_DATA


def test_an_empty_stage_is_not_enough() -> None:
    found = verdict(begun(BEGAN))
    assert found.decision == Decision.NOT_ENOUGH_DATA
    assert "No request has been streamed in this stage." in found.reasons


def test_silence_after_harm_does_not_hide_it() -> None:
    evidence = stage(minutes=300, failures=60)
    evidence.feed(Minute(evidence.looked + timedelta(hours=5)))
    assert verdict(evidence).decision == Decision.ROLLBACK


def tallies() -> st.SearchStrategy[dict[str, Tally]]:
    one = st.integers(0, 2000).flatmap(lambda n: st.builds(Tally, st.just(n), st.integers(0, n)))
    return st.dictionaries(st.sampled_from([slo.key for slo in SLOS]), one)


def batches() -> st.SearchStrategy[list[tuple[timedelta, dict[str, Tally], dict[str, Tally], int]]]:
    passed = st.timedeltas(-timedelta(hours=2), timedelta(days=3))
    return st.lists(st.tuples(passed, tallies(), tallies(), st.integers(0, 2000)), max_size=6)


@settings(max_examples=50)
@given(batches(), st.sampled_from(["ttft", "completion", "failures", "ack_timeouts", "lost", "timed", "control"]))
def test_whatever_came_nothing_is_promoted_while_a_kind_of_data_is_missing(batches: Any, missing: str) -> None:
    evidence = begun(BEGAN)
    for passed, stream, control, requests in batches:
        stream.pop(missing, None)
        timed, control = (0 if missing == "timed" else requests), ({} if missing == "control" else control)
        evidence.feed(Minute(evidence.looked + passed, stream, control, requests, timed))
    assert verdict(evidence, soak=timedelta(), least_requests=1).decision != Decision.PROMOTE


@settings(max_examples=50)
@given(batches(), st.lists(st.timedeltas(-timedelta(hours=2), timedelta(days=90)), min_size=1, max_size=4))
def test_silence_never_rolls_back(batches: Any, silences: list[timedelta]) -> None:
    evidence = begun(BEGAN)
    for passed, stream, control, requests in batches:
        evidence.feed(Minute(evidence.looked + passed, stream, control, requests, requests))
    before = verdict(evidence).decision
    for silence in silences:
        evidence.feed(Minute(evidence.looked + silence))
    assert verdict(evidence).decision != Decision.ROLLBACK or before == Decision.ROLLBACK


def test_evidence_outlives_its_process() -> None:
    evidence = stage(minutes=50)
    kept = msgspec.json.encode(evidence)
    assert msgspec.json.decode(kept, type=Evidence) == evidence
    assert len(kept) < 3000


def test_a_minute_is_checked() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Minute(datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="no such objective: ttfb"):
        Minute(BEGAN, {"ttfb": NONE})
    with pytest.raises(ValueError, match="cannot be"):
        Minute(BEGAN, requests=1, timed=2)
