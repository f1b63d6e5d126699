"""Old traces are deleted, in bounded batches; what is young, and everything else, stays."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import retention
from chat.models import Message, Room, Trace
from chat.outbox import OutboxThread
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    """With five traces, one a day old, the others 10, 20, 30 and 40."""
    room = make_room(make_user("alice"))
    for days in (1, 10, 20, 30, 40):
        trace = Trace.objects.create(
            request_id=f"r-{days}", user=room.owner, room=room, character=room.character, path="stream"
        )
        Trace.objects.filter(pk=trace.pk).update(created_at=timezone.now() - timedelta(days=days, minutes=1))
    return room


def left() -> list[str]:
    return list(Trace.objects.order_by("-created_at").values_list("request_id", flat=True))


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge", *arguments, stdout=out)
    return out.getvalue()


def test_the_setting_says_how_long_traces_are_kept(room: Room, settings: Any) -> None:
    settings.TRACE_RETENTION_DAYS = 20
    assert "3 traces older than 20 days" in purge()
    assert left() == ["r-1", "r-10"]
    assert Message.objects.filter(room=room).exists()


def test_a_dry_run_counts_and_deletes_nothing(room: Room) -> None:
    assert "4 traces are older than 10 days" in purge("--days", "10", "--dry-run")
    assert len(left()) == 5


@pytest.mark.parametrize("days", ["0", "-1", "99999999"])
def test_days_that_cannot_be_meant_are_refused(room: Room, days: str) -> None:
    with pytest.raises(CommandError):
        purge("--days", days)
    assert len(left()) == 5


def test_none_is_deleted_where_all_are_kept(room: Room, settings: Any) -> None:
    settings.TRACE_RETENTION_DAYS = 0
    assert "for ever" in purge()
    assert retention.keep_up() == 0
    assert len(left()) == 5


def test_a_batch_is_bounded_and_the_oldest_go_first(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 2)
    assert retention.purge(5, batches_most=1) == 2
    assert left() == ["r-1", "r-10", "r-20"]
    with CaptureQueriesContext(connection) as captured:
        assert retention.purge(5) == 2
    assert sum(query["sql"].startswith("DELETE") for query in captured) == 1
    assert left() == ["r-1"]


def test_upkeep_purges_by_itself(room: Room, settings: Any) -> None:
    settings.TRACE_RETENTION_DAYS, settings.REDIS_URL = 35, ""
    OutboxThread()._look()
    assert left() == ["r-1", "r-10", "r-20", "r-30"]
