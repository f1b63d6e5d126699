"""What is urgent on the schedule has a thread of its own, which nothing else of the process holds up."""

from __future__ import annotations

import threading

import pytest
from pytest_django import Settings

from chat.outbox import OutboxThread, schedule
from chat.outbox.schedule import Periodic
from tests.waiting import wait_until

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


begun, may_end = threading.Event(), threading.Event()
looks: list[bool] = []


def slow() -> None:
    begun.set()
    assert may_end.wait(30)


def urgent() -> None:
    looks.append(begun.is_set())


def test_it_comes_while_another_job_stands_still(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL, settings.OUTBOX_POLL_SECONDS = "", 0.05
    monkeypatch.setattr(schedule, "SCHEDULE", (
        Periodic("slow", 600.0, f"{__name__}.slow", "a test's"),
        Periodic("urgent", 0.05, f"{__name__}.urgent", "a test's", is_urgent=True),
    ))
    thread = OutboxThread()
    thread.start()
    try:
        wait_until(lambda: looks.count(True) >= 3, "looks while the other job stands still")
    finally:
        may_end.set()
        thread.stop()
