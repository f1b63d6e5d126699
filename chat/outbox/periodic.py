"""Running what the schedule says, once an interval in the whole installation, by whoever comes first.

As with the outbox, the row is the truth: Celery's beat and every process's thread only look whether something is due.
"""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from chat.models import PeriodicJob
from chat.outbox import schedule
from chat.outbox.jobs import ERROR_MAX_CHARS, backoff_seconds

#: Whoever dies in the middle of an urgent job must not keep the others from it for as long as a slow one may take.
URGENT_LEASE_SECONDS = 10.0

log = structlog.get_logger(__name__)


def run_due(*, idle_seconds: float = 0.0, urgent: bool | None = None) -> int:
    """Run what has been due for `idle_seconds` or longer, one after the other; returns how many were run here.

    `urgent`: only what is urgent, or only what is not; None: all.
    """
    seen = {row.name: row for row in PeriodicJob.objects.all()}
    if new := [job for job in schedule.SCHEDULE if job.name not in seen]:
        _plant(new)
        seen = {row.name: row for row in PeriodicJob.objects.all()}
    wanted = [job for job in schedule.SCHEDULE if urgent in (None, job.is_urgent)]
    due_at = timezone.now() - timedelta(seconds=idle_seconds)
    return sum(_run(job, row) for job in wanted if (row := seen.get(job.name)) and _is_due(job, row, due_at))


def run_soon(names: list[str]) -> int:
    """Due at once, whatever the schedule says; returns how many. One that is running is run again after it."""
    return PeriodicJob.objects.filter(name__in=names).update(next_at=timezone.now(), attempts=0)


# Internal


def _plant(jobs: list[schedule.Periodic]) -> None:
    rows = [PeriodicJob(name=job.name, next_at=timezone.now()) for job in jobs]
    PeriodicJob.objects.bulk_create(rows, ignore_conflicts=True)


def _is_due(job: schedule.Periodic, row: PeriodicJob, at: datetime) -> bool:
    if row.leased_until is not None and row.leased_until > at:
        # A lease further away than a lease is long was taken by a clock that was wrong.
        return row.leased_until > at + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS * 2)
    # So was a time further away than the interval, or than the longest pause after failures.
    return not at < row.next_at < at + timedelta(seconds=max(job.every_seconds * 2, 7200.0))


def _run(job: schedule.Periodic, row: PeriodicJob) -> bool:
    """False: somebody else was quicker."""
    seconds = settings.OUTBOX_LEASE_SECONDS
    lease = timezone.now() + timedelta(seconds=min(seconds, URGENT_LEASE_SECONDS) if job.is_urgent else seconds)
    same = PeriodicJob.objects.filter(name=row.name, next_at=row.next_at, attempts=row.attempts)
    if not same.update(attempts=F("attempts") + 1, leased_until=lease):
        return False
    try:
        import_string(job.does)()
    except Exception as error:  # noqa: BLE001 - whatever it raises belongs on its row, and to a person
        log.warning("periodic_job_failed", job=job.name, attempts=row.attempts + 1, error=repr(error))
        pause = min(backoff_seconds(min(row.attempts + 1, 20)), job.every_seconds)
        _leave(job, lease, pause, last_error=traceback.format_exc()[-ERROR_MAX_CHARS:])
    else:
        _leave(job, lease, job.every_seconds, attempts=0, last_error="", last_done_at=timezone.now())
    return True


def _leave(job: schedule.Periodic, lease: datetime, pause_seconds: float, **changes: object) -> None:
    """Nothing if the lease was lost: whoever has it now says when the next time is."""
    next_at = timezone.now() + timedelta(seconds=pause_seconds)
    PeriodicJob.objects.filter(name=job.name, leased_until=lease).update(
        next_at=next_at, leased_until=None, **changes
    )
