"""The thread that sees to due jobs, with real threads and connections; and several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from datetime import timedelta
from uuid import UUID

import pytest
from celery.exceptions import OperationalError as BrokerError
from django.db import OperationalError, connections
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings

from chat import outbox, tasks
from chat.models import OutboxJob, Room
from chat.outbox import jobs
from chat.outbox import thread as thread_module
from chat.post_processing import JOBS
from tests.chat.answers import answered, job_of
from tests.people import make_room, make_user
from tests.waiting import wait_until

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
NEVER_SECONDS = 3600.0


@pytest.fixture
def room(transactional_db: None) -> Room:
    return make_room(make_user("alice"))


@pytest.fixture
def start(settings: Settings) -> Generator[Callable[[], outbox.OutboxThread]]:
    """Starts threads that look only when woken, unless the test sets OUTBOX_POLL_SECONDS."""
    settings.REDIS_URL = ""
    settings.OUTBOX_POLL_SECONDS = NEVER_SECONDS
    started: list[outbox.OutboxThread] = []

    def start_one() -> outbox.OutboxThread:
        started.append(outbox.OutboxThread())
        started[-1].start()
        return started[-1]

    yield start_one
    for thread in started:
        thread.stop()


def is_done(message_id: UUID) -> bool:
    return job_of(message_id).status == OutboxJob.Status.DONE


def make_due(message_id: UUID, seconds: float = 0.0) -> None:
    OutboxJob.objects.filter(message_id=message_id).update(available_at=timezone.now() - timedelta(seconds=seconds))


def test_a_release_is_all_it_takes(room: Room, start: Callable[[], outbox.OutboxThread]) -> None:
    start()
    message_id = answered(room, "Good evening.")
    outbox.release(message_id)
    wait_until(lambda: is_done(message_id), "the released job")
    room.refresh_from_db()
    assert room.title == "Good evening."


def test_what_nobody_released_is_found_by_looking(
    room: Room, start: Callable[[], outbox.OutboxThread], settings: Settings
) -> None:
    settings.OUTBOX_HOLD_SECONDS = 0.1
    settings.OUTBOX_POLL_SECONDS = 0.05
    message_id = answered(room)
    start()
    wait_until(lambda: is_done(message_id), "the job whose process died before the release")


def test_what_a_dead_process_had_leased_is_done_after_its_lease(
    room: Room, start: Callable[[], outbox.OutboxThread], settings: Settings
) -> None:
    settings.OUTBOX_LEASE_SECONDS = 0.2
    settings.OUTBOX_POLL_SECONDS = 0.05
    message_id = answered(room)
    make_due(message_id)
    assert outbox.claim(job_of(message_id).pk) is not None
    start()
    wait_until(lambda: is_done(message_id), "the job of a process that died midway")
    assert job_of(message_id).attempts == 2


def test_more_than_a_batch_is_done_in_one_go(
    room: Room, start: Callable[[], outbox.OutboxThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.outbox.work.BATCH_JOBS", 2)
    monkeypatch.setattr(thread_module, "BATCH_JOBS", 2)
    messages = [answered(room, f"turn {number}") for number in range(5)]
    for message_id in messages:
        make_due(message_id)
    start()
    wait_until(lambda: all(map(is_done, messages)), "five jobs in batches of two")


def test_what_is_left_over_is_told_to_the_scraper(room: Room, start: Callable[[], outbox.OutboxThread]) -> None:
    held, given_up, done = (answered(room, text) for text in ("held", "given up", "done"))
    make_due(held, seconds=-NEVER_SECONDS)
    OutboxJob.objects.filter(message_id=given_up).update(status=OutboxJob.Status.DEAD)
    make_due(done)
    for gauge in (thread_module.WAITING, thread_module.DEAD, thread_module.OLDEST_DUE):
        gauge.set(-1)
    start()
    wait_until(lambda: told("oldest_due_seconds") == 0, "the round that counts")
    assert (is_done(done), told("waiting"), told("dead")) == (True, 1, 1)


def test_a_job_that_nobody_takes_grows_old_in_the_metrics(
    room: Room, start: Callable[[], outbox.OutboxThread], settings: Settings
) -> None:
    settings.REDIS_URL, settings.OUTBOX_SWEEP_SECONDS = "redis://nobody", NEVER_SECONDS
    make_due(answered(room), seconds=100.0)
    thread_module.OLDEST_DUE.set(-1)
    start()
    wait_until(lambda: (told("oldest_due_seconds") or 0) > 99, "the round that counts")


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"soksak_outbox_{name}")


def test_a_database_that_was_away_is_asked_again(
    room: Room, start: Callable[[], outbox.OutboxThread], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOX_POLL_SECONDS = 0.05
    asked: list[int] = []
    due = jobs.due

    def due_after_an_outage(limit: int, *, idle_seconds: float = 0.0) -> list[int]:
        asked.append(limit)
        if len(asked) < 3:
            raise OperationalError("the database is away")
        return due(limit, idle_seconds=idle_seconds)

    monkeypatch.setattr(jobs, "due", due_after_an_outage)
    message_id = answered(room)
    make_due(message_id)
    start()
    wait_until(lambda: is_done(message_id), "the job after the outage")


def test_stopping_waits_for_the_job_at_hand(
    room: Room, start: Callable[[], outbox.OutboxThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work(*message_ids: UUID) -> None:
        begun.set()
        assert may_end.wait(30)

    monkeypatch.setitem(JOBS, "after_reply", work)
    message_id = answered(room)
    make_due(message_id)
    thread = start()
    assert begun.wait(30)
    stopping = threading.Thread(target=thread.stop)
    stopping.start()
    may_end.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert is_done(message_id)


def test_a_stopped_thread_hears_nothing_and_can_be_started_again(
    room: Room, start: Callable[[], outbox.OutboxThread]
) -> None:
    thread = start()
    thread.stop()
    assert thread.wake not in jobs.listeners
    message_id = answered(room)
    outbox.release(message_id)
    assert not is_done(message_id)
    thread.start()
    thread.start()
    wait_until(lambda: is_done(message_id), "the job after the restart")


def test_workers_racing_for_the_same_jobs_do_each_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[UUID] = []
    monkeypatch.setitem(JOBS, "after_reply", lambda *message_ids: done.extend(message_ids))
    messages = [answered(room, f"turn {number}") for number in range(12)]
    for message_id in messages:
        make_due(message_id)
    barrier, failures = threading.Barrier(4), []

    def race() -> None:
        try:
            barrier.wait(30)
            while outbox.drain():
                continue
        except Exception as error:
            failures.append(error)
            raise
        finally:
            connections.close_all()

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert failures == []
    assert sorted(done) == sorted(messages)
    assert set(OutboxJob.objects.values_list("status", "attempts")) == {("done", 1)}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Settings, start: object) -> list[int]:
    """With Redis configured, what goes to Celery ends here."""
    settings.REDIS_URL = "redis://nowhere.invalid/0"
    sent: list[int] = []
    monkeypatch.setattr(tasks.run_outbox_jobs, "apply_async", lambda args, **options: sent.extend(args))
    return sent


def test_with_redis_a_job_is_handed_to_celery_and_left_alone(
    room: Room, start: Callable[[], outbox.OutboxThread], sent: list[int]
) -> None:
    start()
    message_id = answered(room)
    outbox.release(message_id)
    wait_until(lambda: sent == [job_of(message_id).pk], "the message to Celery")
    assert job_of(message_id).attempts == 0


def test_what_was_released_together_travels_together_but_in_no_endless_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages: list[list[int]] = []
    monkeypatch.setattr(tasks.run_outbox_jobs, "apply_async", lambda args, **options: messages.append(list(args)))
    thread = outbox.OutboxThread()
    for job_id in range(outbox.BATCH_JOBS + 2):
        thread.wake(job_id)
    thread._hand_over()
    assert messages == [[*range(outbox.BATCH_JOBS)], [outbox.BATCH_JOBS, outbox.BATCH_JOBS + 1]]


def test_with_redis_a_job_that_no_worker_took_is_done_here(
    room: Room, start: Callable[[], outbox.OutboxThread], sent: list[int], settings: Settings
) -> None:
    left, fresh = answered(room), answered(room)
    make_due(left, settings.OUTBOX_SWEEP_SECONDS + 1)
    make_due(fresh)
    start()
    wait_until(lambda: is_done(left), "the job nobody took")
    assert not is_done(fresh)


def test_a_broker_that_is_away_costs_time_but_no_job(
    room: Room, start: Callable[[], outbox.OutboxThread], sent: list[int], settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[object] = []

    def refuse(args: list[int], **options: object) -> None:
        tries.append(options)
        raise BrokerError("connection refused")

    monkeypatch.setattr(tasks.run_outbox_jobs, "apply_async", refuse)
    settings.OUTBOX_POLL_SECONDS = 0.05
    settings.OUTBOX_SWEEP_SECONDS = 0.3
    start()
    message_id = answered(room)
    outbox.release(message_id)
    wait_until(lambda: is_done(message_id), "the job without a broker")
    assert tries == [{"retry": False}]


def test_the_sweep_sends_what_is_due_and_was_not_taken(
    room: Room, sent: list[int], settings: Settings
) -> None:
    settings.OUTBOX_POLL_SECONDS = 5.0
    left, held = answered(room), answered(room)
    make_due(left, 10)
    tasks.sweep_outbox()
    assert sent == [job_of(left).pk]
    assert not is_done(held)
