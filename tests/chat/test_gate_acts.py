"""The gate counts every trace once, rolls back by itself, promotes only upon evidence, and never upon its absence."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.translation import override

from chat import outbox, stages, turn_statements
from chat.models import RolloutDecision, RolloutState, Room
from chat.rollout.evidence import begun
from chat.rollout.slos import ACK_TIMEOUTS, FAILURES, FIRST_WORDS
from chat.stages import gate
from chat.stages.changes import Order
from chat.stages.state import forget
from tests.chat.kpi_traces import many
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]
ALICE = Order("alice", "a test")
#: Of the stage that the tests watch.
AGO = timedelta(minutes=3)
SEEN = {"end": 900.0}
GOOD: dict[str, Any] = {
    "stage": 2, "ttft_ms": 400.0, "completion_ms": 3000.0, "ttft_source": "browser", "client_marks": SEEN,
}
FAILED: dict[str, Any] = {"outcome": "failed", "failure": "backend_failed"}


@pytest.fixture
def room(db: None) -> Room:
    forget()
    stages.rollback(ALICE, to=2)
    RolloutState.objects.update(since=timezone.now() - timedelta(minutes=4))
    return make_room(make_user("alice"))


def come(room: Room, count: int, ago: timedelta = AGO, **fields: Any) -> None:
    many(room, timezone.now() - ago, count, **{**GOOD, **fields})


def row() -> RolloutState:
    return RolloutState.objects.get()


def seen(key: str) -> tuple[int, int]:
    tally = gate.evidence_of(row()).seen[key].stream
    return tally.requests, tally.bad


def test_healthy_traffic_is_counted_once_and_stays(room: Room) -> None:
    come(room, 500)
    come(room, 500, cohort="control")
    gate.watch()
    gate.watch()
    assert seen(FAILURES.key) == (500, 0)
    assert stages.read().stage == 2
    assert not RolloutDecision.objects.filter(who="gate").exists()


def test_of_what_browsers_alone_tell_each_user_counts_once_a_look(room: Room) -> None:
    come(room, 100)
    never: dict[str, Any] = {"outcome": "", "ttft_ms": None, "ttft_source": "", "completion_ms": None}
    come(room, 30, failure="ack_timeout", client_marks={"ack_timeout": 9.0}, **never)
    gate.watch()
    assert seen(FAILURES.key) == seen(ACK_TIMEOUTS.key) == (101, 1)
    assert seen(FIRST_WORDS.key) == (101, 1)
    assert stages.read().stage == 2


def test_traces_of_another_stage_or_cohort_are_no_evidence(room: Room) -> None:
    come(room, 100, stage=1, failure="backend_failed")
    come(room, 100, cohort="", failure="backend_failed")
    come(room, 100, cohort="control", failure="backend_failed")
    gate.watch()
    assert seen(FAILURES.key) == (0, 0)
    assert stages.read().stage == 2


@pytest.mark.parametrize("fields", [
    FAILED, {"ttft_ms": 2000.0}, {"completion_ms": 9000.0}, {"ttft_ms": None, "completion_ms": None, **FAILED},
], ids=["failed", "late words", "late end", "silent"])
def test_a_broken_objective_rolls_back_with_its_evidence(room: Room, fields: dict[str, Any]) -> None:
    come(room, 100)
    come(room, 100, **fields)
    outbox.run_due()
    assert stages.read().stage == 0
    decision = RolloutDecision.objects.latest("pk")
    assert (decision.who, decision.action, decision.to_stage) == ("gate", "rollback", 0)
    assert "of 200" in decision.reason
    assert decision.why in run("history")


def test_one_lost_message_is_out_however_late_it_is_reported(room: Room) -> None:
    come(room, 200)
    gate.watch()
    assert stages.read().stage == 2
    trace = room.owner.traces.first()
    assert trace is not None
    trace.mismatched = True
    trace.save()
    gate.watch()
    assert stages.read().stage == 0
    assert "lost or doubled" in RolloutDecision.objects.latest("pk").why


def test_what_the_browser_told_first_is_counted_once_the_server_has_told(room: Room) -> None:
    # Whoever left while they waited: the beacon's row has no figures yet, and the answer fails a while later.
    come(room, 100, outcome="", ttft_ms=None, completion_ms=None, message=room.messages.first())
    gate.watch()
    assert seen(FAILURES.key) == (0, 0)
    (*_, told) = room.owner.traces.all()
    told.outcome, told.failure, told.client_marks = "failed", "backend_failed", {}
    turn_statements.write_told_traces([told])
    looked = gate.evidence_of(row()).looked
    # SQLite's clock tells milliseconds, and in one of them nothing may have come.
    assert room.owner.traces.filter(outcome="failed", settled_at__gt=looked).update(settled_at=looked)
    RolloutState.objects.update(looked_at=None)
    gate.watch()
    assert seen(FAILURES.key) == (1, 1)


def test_a_process_whose_clock_is_wrong_is_counted_all_the_same(room: Room) -> None:
    come(room, 100)
    for number, trace in enumerate(room.owner.traces.all()):
        trace.created_at = timezone.now() + timedelta(hours=2 if number % 2 else -2)
        trace.save(update_fields=["created_at"])
    gate.watch()
    assert seen(FAILURES.key) == (100, 0)


@pytest.mark.parametrize(("back", "counted"), [(timedelta(minutes=2), 100), (timedelta(hours=3), 0)])
def test_a_clock_that_went_back_counts_nothing_twice(room: Room, back: timedelta, counted: int) -> None:
    come(room, 100)
    gate.watch()
    evidence = gate.evidence_of(row())
    evidence.looked += back
    RolloutState.objects.update(evidence=msgspec.to_builtins(evidence))
    before = gate.CLOCK_WENT_BACK._value.get()
    gate.watch()
    # A short step is waited for; after a long one the evidence begins anew.
    assert seen(FAILURES.key) == (counted, 0)
    assert gate.CLOCK_WENT_BACK._value.get() == before + 1
    assert "The clock went back" in run("status")
    with pytest.raises(CommandError, match="does not promote"):
        run("promote", "--why", "because")


def test_what_was_proven_when_somebody_last_looked_is_not_what_is_proven_now(room: Room) -> None:
    prove(room)
    gate.watch()
    assert "Verdict: promote" in run("status")
    evidence = gate.evidence_of(row())
    evidence.looked -= timedelta(minutes=20)
    RolloutState.objects.update(evidence=msgspec.to_builtins(evidence))
    assert "Nobody looked for 20 minutes" in run("status")
    with pytest.raises(CommandError, match="does not promote"):
        run("promote", "--why", "it was proven")


def test_a_held_stage_is_rolled_back_all_the_same(room: Room) -> None:
    stages.hold(ALICE)
    come(room, 100, **FAILED)
    gate.watch()
    assert stages.read().stage == 0


def test_nothing_heard_neither_promotes_nor_rolls_back(room: Room) -> None:
    stages.release(ALICE, auto=True)
    for _ in range(3):
        gate.watch()
    assert stages.read().stage == 2
    assert "not enough data" in run("status")
    with pytest.raises(CommandError, match="does not promote"):
        run("promote", "--why", "because")
    assert "Stage 3" in run("promote", "--why", "because", "--force")


def prove(room: Room, *, looked_minutes: int = 1) -> None:
    """A day and more of good traffic, but for the last minute."""
    since = timezone.now() - timedelta(hours=30)
    RolloutState.objects.update(since=since)
    evidence = begun(since)
    evidence.looked = timezone.now() - timedelta(minutes=looked_minutes)
    RolloutState.objects.update(evidence=msgspec.to_builtins(evidence))
    ago = timedelta(seconds=30)
    come(room, 4_000, ago)
    come(room, 4_000, ago, cohort="control")


def test_what_is_proven_is_promoted_by_itself_only_where_it_may(room: Room) -> None:
    prove(room)
    gate.watch()
    assert "promote" in run("status")
    assert stages.read().stage == 2
    stages.release(ALICE, auto=True)
    gate.watch()
    assert stages.read().stage == 3
    assert RolloutDecision.objects.latest("pk").who == "gate"
    assert gate.evidence_of(row()).requests == 0


def test_a_person_may_promote_what_is_proven(room: Room) -> None:
    prove(room)
    gate.watch()
    assert "Stage 3" in run("promote", "--why", "proven")


def test_after_a_gap_nothing_is_promoted(room: Room) -> None:
    prove(room, looked_minutes=60)
    stages.release(ALICE, auto=True)
    gate.watch()
    assert stages.read().stage == 2


def test_a_look_that_was_overtaken_counts_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    come(room, 100, **FAILED)
    counted = gate.minute_of

    def overtaken(*arguments: Any) -> Any:
        stages.promote(Order("bob", "quicker"), to=3)
        return counted(*arguments)

    monkeypatch.setattr(gate, "minute_of", overtaken)
    gate.watch()
    assert stages.read().stage == 3


def test_without_a_rollout_there_is_nothing_to_watch(room: Room) -> None:
    RolloutState.objects.all().delete()
    come(room, 100, **FAILED, stage=4)
    gate.watch()
    assert not RolloutState.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    with override("en"):
        call_command("rollout", *arguments, stdout=out)
    return out.getvalue()
