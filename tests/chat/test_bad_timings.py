"""Whatever a browser says of a request, K1 to K4 are what they were: each bad report is counted, under its reason."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat import kpi, traces
from chat.alarms import watch
from chat.kpi.report import plain
from chat.kpi.rollups import keep_up
from chat.messages import Request, accept_send
from chat.models import Generation, KpiRollup, RolloutState, Room, Trace, User
from chat.stages import gate
from chat.traces import REJECTED, Report
from tests.chat.answers import write_trace
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]

SERVER = {"received": 0.0, "accepted": 4.0, "first_frame": 300.0, "settled": 1990.0, "end_frame": 2000.0}
HONEST = {"click": 0.0, "sent": 2.0, "accepted": 26.0, "start": 27.0, "first_chunk": 330.0, "first_paint": 345.0}
WHOLE = {**HONEST, "end": 2030.0}


@pytest.fixture
def asked(db: None) -> Report:
    """An answered request of alice's, a minute old, as her browser would report it."""
    room = make_room(make_user("alice"))
    accepted = accept_send(Request(room.owner_id, room.pk, request_id(), "stream", "me", "stream", 2), "hi")
    Generation.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    write_trace(Trace(
        request_id=accepted.request_id, user_id=room.owner_id, room=room, character=room.character, path="stream",
        message_id=accepted.message_id, kind="reply", cohort="stream", stage=2, outcome="done", marks=SERVER,
    ))
    return Report(room.owner_id, accepted.request_id, WHOLE, room.pk, "stream", "stream", 2)


def figures() -> Any:
    return [plain(found) for found in kpi.measure(kpi.days(1, timezone.now())[0])]


def report(asked: Report, marks: dict[str, float], **fields: Any) -> str:
    told = {"user_id": asked.user_id, "request_id": asked.request_id, "room_id": asked.room_id, **fields}
    return traces.report(Report(marks=marks, **told))


@pytest.mark.parametrize(
    ("reason", "marks"),
    [
        ("empty", {"mood": 1.0}),
        ("not_finite", {**WHOLE, "end": float("nan")}),
        ("not_finite", {**WHOLE, "end": float("inf")}),
        ("negative", {**WHOLE, "sent": -1.0}),
        ("absurd", {**WHOLE, "end": 600_001.0}),
        ("disordered", {**WHOLE, "first_paint": 300.0}),
        ("disordered", {**WHOLE, "click": 2.0e5}),
        ("future", {**HONEST, "first_paint": 90_000.0}),
        ("future", {**HONEST, "end": 599_000.0}),
        ("inconsistent", {**HONEST, "accepted": 3.0, "start": 3.0, "first_chunk": 4.0, "first_paint": 5.0}),
    ],
)
def test_a_forged_report_changes_no_kpi_and_is_counted(asked: Report, reason: str, marks: dict[str, float]) -> None:
    before, counted = figures(), REJECTED.labels(reason)._value.get()
    assert report(asked, marks) == reason
    assert REJECTED.labels(reason)._value.get() == counted + 1
    assert figures() == before


def test_neither_does_one_that_comes_twice_late_or_from_somebody_else(asked: Report, settings: Any) -> None:
    assert traces.report(asked) == ""
    before = figures()
    slower = {**WHOLE, "first_paint": 5000.0, "end": 9000.0}
    assert report(asked, slower) == "duplicate"
    assert report(asked, slower, user_id=make_user("charlie").pk) == "unknown_request"
    assert report(asked, {"click": 0.0, "sent": 1.0, "end": 9.0}, request_id="of-nobody") == "unknown_request"
    Trace.objects.update(created_at=timezone.now() - timedelta(seconds=settings.TIMINGS_LATE_SECONDS + 1))
    assert report(asked, slower) == "late"
    Trace.objects.update(created_at=timezone.now())
    assert figures() == before


def test_an_answer_that_really_took_so_long_is_believed(asked: Report) -> None:
    """A page in a pocket: its words were painted half a minute after they had come."""
    assert report(asked, {**HONEST, "first_paint": 30_000.0, "end": 31_000.0}) == ""
    assert Trace.objects.get().ttft_ms == 30_000.0


def test_an_empty_database_is_no_number_anywhere() -> None:
    assert (Room.objects.count(), User.objects.count()) == (0, 0)
    for command in (
        ["kpi"], ["kpi", "--days", "1", "--by", "route", "path"], ["alarms"], ["rollout", "status"],
        ["rollout", "history"], ["purge"], ["outbox"], ["hedging"],
    ):
        call_command(*command, stdout=StringIO())
    gate.watch()
    watch()
    keep_up()
    assert figures() == []
    assert not RolloutState.objects.exclude(stage=4).exists()
    assert set(KpiRollup.objects.values_list("by", flat=True)) <= {""}
    assert [figures for figures in KpiRollup.objects.values_list("figures", flat=True) if figures] == []
