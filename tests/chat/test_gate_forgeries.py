"""Of what browsers alone tell, one user who lies can not roll a stage back; several to whom it happens do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat import stages, traces
from chat.generations import Outcome, settle
from chat.messages import Accepted, Request, accept_send
from chat.models import RolloutState, Room, Trace, User
from chat.rollout.slos import ACK_TIMEOUTS, FAILURES, LOST
from chat.stages import gate
from chat.stages.changes import Order
from chat.stages.counts import TOLD_PER_HOUR, counted
from chat.stages.state import forget
from chat.traces import Report
from tests.chat.kpi_traces import many
from tests.chat.kpi_traces import traces as write
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]
AGO = timedelta(minutes=3)
GOOD: dict[str, Any] = {"stage": 2, "ttft_ms": 400.0, "completion_ms": 3000.0, "client_marks": {"end": 900.0}}
#: As a browser alone tells them: the server has answered.
TOLD = [{"failure": "ack_timeout"}, {"failure": "backend_failed"}]
#: One strike and out is for so many answers; with these two users are needed.
SEASONED = 15_000


@pytest.fixture
def room(db: None) -> Room:
    forget()
    stages.rollback(Order("alice", "a test"), to=2)
    RolloutState.objects.update(since=timezone.now() - timedelta(minutes=4))
    return make_room(make_user("alice"))


def come(room: Room, count: int, **fields: Any) -> None:
    many(room, timezone.now() - AGO, count, **{**GOOD, **fields})


def each_tells(room: Room, users: list[User], **fields: Any) -> None:
    write(room, timezone.now() - AGO, [{**GOOD, "user": user, **fields} for user in users])


def people(count: int) -> list[User]:
    return User.objects.bulk_create([User(username=f"user-{number}") for number in range(count)])


def bad(key: str) -> int:
    return gate.evidence_of(RolloutState.objects.get()).seen[key].stream.bad


@pytest.mark.parametrize("told", TOLD, ids=["unacknowledged", "failed"])
def test_one_user_who_says_that_every_answer_failed_counts_once_a_look(room: Room, told: dict[str, Any]) -> None:
    come(room, 100)
    come(room, 100, **told)
    gate.watch()
    assert (bad(FAILURES.key), stages.read().stage) == (1, 2)


@pytest.mark.parametrize("told", TOLD, ids=["unacknowledged", "failed"])
def test_several_users_who_say_so_roll_back(room: Room, told: dict[str, Any]) -> None:
    come(room, 100)
    each_tells(room, people(12), **told)
    gate.watch()
    assert stages.read().stage == 0


def test_a_failure_that_the_server_saw_counts_whoever_asked(room: Room) -> None:
    come(room, 100)
    come(room, 100, outcome="failed", failure="backend_failed")
    gate.watch()
    assert stages.read().stage == 0


def test_an_end_that_is_no_failure_of_ours_is_known_by_its_browser_alone(room: Room) -> None:
    come(room, 20, outcome="failed", error_code="content_filtered", failure="ack_timeout")
    gate.watch()
    assert (bad(FAILURES.key), bad(ACK_TIMEOUTS.key)) == (1, 1)


def test_who_has_told_often_in_the_last_hour_is_counted_no_more_and_others_are(room: Room) -> None:
    since = timezone.now() - AGO
    alice, (bob,) = room.owner, people(1)

    def failed() -> int:
        return counted(Trace.objects.all(), Trace.objects.filter(settled_at__gte=since), since)["failed"]

    def tell(user: User, at: datetime, times: int) -> None:
        write(room, at, [{**GOOD, "user": user, "failure": "ack_timeout"}] * times)

    tell(alice, since, 1)
    tell(bob, since, 1)
    tell(alice, since - timedelta(minutes=61), TOLD_PER_HOUR)
    tell(alice, since - timedelta(minutes=59), TOLD_PER_HOUR - 1)
    assert failed() == 2
    tell(alice, since - timedelta(minutes=58), 1)
    assert failed() == 1


def test_one_user_who_says_that_text_was_lost_counts_once_a_stage(room: Room) -> None:
    come(room, SEASONED)
    come(room, 50, mismatched=True)
    for _ in range(2):
        gate.watch()
    assert (bad(LOST.key), stages.read().stage) == (1, 2)
    each_tells(room, people(1), mismatched=True)
    gate.watch()
    assert stages.read().stage == 0


# What the server knows better


@pytest.fixture
def running(room: Room) -> Accepted:
    request = Request(user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner="me")
    return accept_send(request, "hi")


def differs(room: Room, rid: str, **marks: float) -> str:
    return traces.report(Report(
        user_id=room.owner_id, request_id=rid, marks={"mismatch": 9.0, **marks}, room_id=room.pk, path="stream",
        cohort="stream", stage=2,
    ))


def test_text_that_is_still_being_written_cannot_differ_from_its_end(room: Room, running: Accepted) -> None:
    assert differs(room, running.request_id) == "contradicted"
    assert not Trace.objects.exists()
    assert settle(running.message_id, 1, Outcome(status="done", text="Hello.", last_seq=1))
    assert differs(room, running.request_id) == ""
    assert Trace.objects.get().mismatched


def test_nor_can_that_of_an_answer_that_failed(room: Room, running: Accepted) -> None:
    assert settle(running.message_id, 1, Outcome(status="failed", text="", last_seq=1, error_code="provider_error"))
    assert differs(room, running.request_id) == "contradicted"
    (failed,) = write(room, timezone.now(), [{"outcome": "failed", "message_id": running.message_id}])
    assert differs(room, failed.request_id) == "contradicted"
    assert not Trace.objects.filter(mismatched=True).exists()


def test_nor_can_that_of_a_send_that_never_arrived(room: Room) -> None:
    assert differs(room, request_id(), ack_timeout=5_000.0, failed=5_000.0) == "unknown_request"
    assert not Trace.objects.exists()
