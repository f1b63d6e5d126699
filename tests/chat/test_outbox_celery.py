"""Jobs carried by a real Celery worker on a private Redis, killed midway included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import redis
from django.db import connection
from pytest_django import Settings

from chat.models import KpiRollup, OutboxJob, PeriodicJob, Room
from chat.outbox.schedule import SCHEDULE
from tests.celery_worker import Worker, end, starting
from tests.chat.answers import answered, job_of
from tests.people import make_room, make_user
from tests.waiting import wait_until

pytestmark = [pytest.mark.data, pytest.mark.redis, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
#: A lease and a sweep that a test can wait for.
QUICK = {"OUTBOX_LEASE_SECONDS": "2", "OUTBOX_SWEEP_SECONDS": "1", "OUTBOX_POLL_SECONDS": "0.2", "BEAT_SECONDS": "1"}


@pytest.fixture
def room(transactional_db: None) -> Room:
    return make_room(make_user("alice"))


@pytest.fixture
def environment(transactional_db: None, redis_url: str, settings: Settings) -> Generator[dict[str, str]]:
    """Of a process on this test's own database and Redis; nobody sweeps unless told to."""
    # However long the process takes that releases it, a job is not due before.
    settings.OUTBOX_HOLD_SECONDS = 3600.0
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield {
            **os.environ, "DATABASE_URL": database_url(), "REDIS_URL": redis_url,
            "OUTBOX_SWEEP_SECONDS": "3600", "OUTBOX_POLL_SECONDS": "3600",
        }
        client.flushdb()


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Generator[Worker]:
    with starting(environment, tmp_path) as start:
        yield partial(start, app="tests.chat.outbox_worker")


def release(message_id: UUID, environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.chat.outbox_worker", str(message_id)], env=environment, check=True, timeout=60
    )


def is_done(message_id: UUID) -> bool:
    return job_of(message_id).status == OutboxJob.Status.DONE


def undone() -> set[str]:
    """Of the schedule, what has not gone well yet."""
    rows = PeriodicJob.objects.filter(last_done_at__isnull=False, last_error="")
    return {job.name for job in SCHEDULE} - set(rows.values_list("name", flat=True))


def test_the_worker_does_what_waited_for_it_and_what_is_released_later(
    room: Room, worker: Worker, environment: dict[str, str], tmp_path: Path
) -> None:
    """The worker as the runbook starts it."""
    early = answered(room, "Good evening.")
    release(early, environment)
    assert not is_done(early)
    worker("--beat", f"--schedule={tmp_path / 'beat'}", app="chatproject")
    wait_until(lambda: is_done(early), "the worker that came later")
    room.refresh_from_db()
    assert (room.title, room.message_count) == ("Good evening.", 3)
    late = answered(room)
    release(late, environment)
    wait_until(lambda: is_done(late), "the worker that was there")


def test_a_worker_killed_midway_is_replaced_after_its_lease_and_beat_keeps_the_schedule(
    room: Room, worker: Worker, environment: dict[str, str], tmp_path: Path
) -> None:
    first = worker(HOLD_FOLDER=str(tmp_path), OUTBOX_LEASE_SECONDS="5")
    message_id = answered(room)
    release(message_id, environment)
    wait_until((tmp_path / "begun").exists, "the job's beginning")
    end(first)
    assert not is_done(message_id)
    assert job_of(message_id).attempts == 1
    worker("--beat", f"--schedule={tmp_path / 'beat'}", **{**QUICK, "OUTBOX_LEASE_SECONDS": "30"})
    wait_until(lambda: is_done(message_id), "the second worker, after the lease", seconds=60)
    assert job_of(message_id).attempts == 2
    # Roll-ups, alarms, the gate, what is purged: nobody else runs them here.
    wait_until(lambda: not undone(), "what comes back by itself", seconds=60)
    assert KpiRollup.objects.exists()


def test_a_job_that_hangs_is_killed_at_the_end_of_its_lease_and_done_by_the_next(
    room: Room, worker: Worker, environment: dict[str, str], tmp_path: Path
) -> None:
    worker("--beat", f"--schedule={tmp_path / 'beat'}", HOLD_FOLDER=str(tmp_path), **QUICK)
    message_id = answered(room)
    # The time limit travels with the message: sender and worker share their settings, as in production.
    release(message_id, {**environment, **QUICK, "OUTBOX_POLL_SECONDS": "3600"})
    wait_until(lambda: job_of(message_id).attempts >= 2, "the second attempt", seconds=60)
    (tmp_path / "go").touch()
    wait_until(lambda: is_done(message_id), "the attempt that may go on", seconds=60)
