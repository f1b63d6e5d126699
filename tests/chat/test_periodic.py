"""What comes back by itself: once an interval, whoever looks; slowed by failures, never given up, and visible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from chat import outbox, tasks
from chat.models import PeriodicJob, User
from chat.outbox import OutboxThread, schedule
from chat.outbox.schedule import Periodic
from tests.people import make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]
ran: list[str] = []
NAMES = ("urgent", "other")


def good() -> None:
    ran.append("good")


def bad() -> None:
    ran.append("bad")
    raise RuntimeError("the disk is full")


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    ran.clear()
    jobs = tuple(Periodic(name, 600.0, f"{__name__}.{name}", "a test's") for name in ("good", "bad"))
    monkeypatch.setattr(schedule, "SCHEDULE", jobs)


def row(name: str) -> PeriodicJob:
    return PeriodicJob.objects.get(pk=name)


def move(name: str, **changes: Any) -> None:
    PeriodicJob.objects.filter(pk=name).update(**changes)


def test_each_runs_once_an_interval_and_one_failure_stops_nobody_else() -> None:
    assert outbox.run_due() == 2
    assert outbox.run_due() == 0
    assert sorted(ran) == ["bad", "good"]
    assert row("good").last_done_at is not None
    assert (row("good").next_at - timezone.now()).total_seconds() == pytest.approx(600, abs=10)


def test_a_failure_is_kept_and_tried_again_sooner_than_the_interval() -> None:
    outbox.run_due()
    failed = row("bad")
    assert "the disk is full" in failed.last_error
    assert (failed.attempts, failed.last_done_at, failed.leased_until) == (1, None, None)
    assert failed.next_at < timezone.now() + timedelta(seconds=10)
    move("bad", next_at=timezone.now(), attempts=500)
    outbox.run_due()
    assert row("bad").next_at <= timezone.now() + timedelta(seconds=600)


def test_what_went_well_at_last_has_no_error_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.run_due()
    monkeypatch.setattr(schedule, "SCHEDULE", (Periodic("bad", 600.0, f"{__name__}.good", "mended"),))
    outbox.run_soon(["bad"])
    outbox.run_due()
    assert (row("bad").last_error, row("bad").attempts) == ("", 0)


def test_what_is_urgent_is_run_apart_and_soon_again_if_its_runner_died(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = tuple(Periodic(name, 600.0, f"{__name__}.good", "a test's", is_urgent=name == "urgent") for name in NAMES)
    monkeypatch.setattr(schedule, "SCHEDULE", jobs)
    assert (outbox.run_due(urgent=True), outbox.run_due(urgent=False), outbox.run_due()) == (1, 1, 0)
    outbox.run_soon(list(NAMES))
    leased: dict[str, float] = {}

    def look() -> None:
        for job in PeriodicJob.objects.exclude(leased_until=None):
            assert job.leased_until is not None
            leased.setdefault(job.name, (job.leased_until - timezone.now()).total_seconds())

    monkeypatch.setattr("tests.chat.test_periodic.good", look)
    outbox.run_due()
    assert leased == {"urgent": pytest.approx(10, abs=3), "other": pytest.approx(60, abs=3)}


def test_who_comes_second_with_the_same_row_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.run_due()
    outbox.run_soon(["good"])

    def slow() -> None:
        ran.append("nested")
        assert outbox.run_due() == 0

    monkeypatch.setattr("tests.chat.test_periodic.good", slow)
    outbox.run_due()
    assert ran.count("nested") == 1
    assert row("good").last_error == ""


def test_what_a_dead_process_had_leased_is_run_after_its_lease() -> None:
    outbox.run_due()
    move("good", next_at=timezone.now(), leased_until=timezone.now() + timedelta(seconds=30))
    assert outbox.run_due() == 0
    move("good", leased_until=timezone.now() - timedelta(seconds=1))
    assert outbox.run_due() == 1


@pytest.mark.parametrize("wrong", ["next_at", "leased_until"])
def test_a_time_set_by_a_wrong_clock_holds_nothing_up(wrong: str) -> None:
    outbox.run_due()
    move("good", **{"next_at": timezone.now(), wrong: timezone.now() + timedelta(days=400)})
    assert outbox.run_due() == 1


def test_a_web_process_takes_only_what_no_worker_took() -> None:
    outbox.run_due()
    move("good", next_at=timezone.now() - timedelta(seconds=20))
    assert outbox.run_due(idle_seconds=30.0) == 0
    move("good", next_at=timezone.now() - timedelta(seconds=40))
    assert outbox.run_due(idle_seconds=30.0) == 1


@pytest.mark.parametrize(("late_seconds", "is_urgent", "runs"), [
    (5, False, 0), (20, False, 1), (3, True, 0), (9, True, 1),
])
def test_without_beat_and_worker_a_web_process_steps_in_within_seconds(
    late_seconds: int, is_urgent: bool, runs: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Periodic("good", 600.0, f"{__name__}.good", "a test's", is_urgent=is_urgent)
    monkeypatch.setattr(schedule, "SCHEDULE", (job,))
    settings.REDIS_URL = "redis://nobody"
    outbox.run_due()
    ran.clear()
    move("good", next_at=timezone.now() - timedelta(seconds=late_seconds))
    thread = OutboxThread()
    thread._look()
    assert len(ran) == (0 if is_urgent else runs)
    thread._look_urgently()
    assert len(ran) == runs


@pytest.mark.parametrize("looks", [lambda: OutboxThread()._look(), tasks.run_periodic], ids=["thread", "beat"])
def test_it_is_looked_for_by_the_thread_and_by_beat(looks: Callable[[], None], settings: Any) -> None:
    settings.REDIS_URL = ""
    looks()
    assert "good" in ran


def test_bob_sees_the_failure_and_runs_it_again() -> None:
    bob = make_user("bob", is_staff=True, is_superuser=True)
    outbox.run_due()
    browser = signed_in(bob)
    address = reverse("admin:chat_periodicjob_changelist")
    assert "the disk is full" in browser.get(address).content.decode()
    browser.post(address, {"action": "run_soon", "_selected_action": ["good"]})
    assert outbox.run_due() == 1
    assert ran[-1] == "good"


def test_charlie_may_not_look() -> None:
    browser = signed_in(make_user("charlie", is_staff=True))
    assert browser.get(reverse("admin:chat_periodicjob_changelist")).status_code == 403


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def test_the_schedule_names_functions_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert len({job.name for job in schedule.SCHEDULE}) == len(schedule.SCHEDULE)
    assert all(callable(import_string(job.does)) for job in schedule.SCHEDULE)


def test_the_gate_alone_is_urgent_and_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else were in its thread would hold it up; what were before it in beat's task as well."""
    monkeypatch.undo()
    assert [job.name for job in schedule.SCHEDULE if job.is_urgent] == ["rollout_gate"]
    assert schedule.SCHEDULE[0].is_urgent
