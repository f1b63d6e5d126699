"""The life of a job as a row: added, released, claimed under a lease, done, tried again or dead.

Every step is one short compare-and-set, on SQLite as on Postgres: no lock is held while work is done.
`attempts` is the fence: who raised it owns the job until the lease ends, and every later write names it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chat import turn_statements
from chat.models import OutboxJob
from chat.statements import new

ATTEMPTS_MAX = 8
RETRY_FIRST_SECONDS = 5.0
RETRY_MOST_SECONDS = 3600.0
ERROR_MAX_CHARS = 4000

#: Who in this process wants to hear of a job that has become due.
listeners: set[Callable[[int], None]] = set()


def held(kind: str, message_id: UUID) -> OutboxJob:
    """A job for this message, to be written in the transaction of its cause, and held back until `release`.

    It must not overtake the end that readers are about to be told. A crash before the release only delays it,
    by OUTBOX_HOLD_SECONDS.
    """
    until = timezone.now() + timedelta(seconds=settings.OUTBOX_HOLD_SECONDS)
    return new(OutboxJob, kind=kind, message_id=message_id, available_at=until)


def release(*message_ids: UUID) -> None:
    """The readers have their ends: the messages' untried jobs are due now."""
    for job_id in turn_statements.release_jobs(message_ids, timezone.now()) if message_ids else ():
        transaction.on_commit(partial(kick, job_id))


def kick(job_id: int) -> None:
    """Tell this process's threads that a job is due. Never blocks, never fails; nobody listening is fine."""
    for listener in list(listeners):
        listener(job_id)


def due(limit: int, *, idle_seconds: float = 0.0) -> list[int]:
    """Ids of jobs that have been due for `idle_seconds` or longer, the oldest first."""
    rows = _due(timezone.now() - timedelta(seconds=idle_seconds)).order_by("available_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def _due(at: datetime) -> QuerySet[OutboxJob]:
    unleased = Q(leased_until=None) | Q(leased_until__lt=at)
    return OutboxJob.objects.filter(unleased, status=OutboxJob.Status.WAITING, available_at__lte=at)


def claim(job_id: int) -> OutboxJob | None:
    """The job under a lease of ours, or None: not due, somebody else's, done, or tried too often."""
    now = timezone.now()
    lease = now + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    ours = _due(now).filter(pk=job_id, attempts__lt=ATTEMPTS_MAX)
    if ours.update(attempts=F("attempts") + 1, leased_until=lease):
        return OutboxJob.objects.filter(pk=job_id).first()
    # Whoever had it last died without a word each time: it may be what kills them.
    _due(now).filter(pk=job_id).update(
        status=OutboxJob.Status.DEAD, last_error=f"{ATTEMPTS_MAX} attempts; the last lease ran out.", leased_until=None
    )
    return None


def claim_untried(job_ids: list[int]) -> list[OutboxJob]:
    """Those of them that are due and were never tried, all at once under a lease of ours.

    Only those: a job that kills its workers must not take the attempts of others with it, time after time.
    """
    now = timezone.now()
    lease = now + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    with transaction.atomic():
        ours = list(_due(now).filter(pk__in=job_ids, attempts=0).select_for_update(skip_locked=True))
        OutboxJob.objects.filter(pk__in=[job.pk for job in ours]).update(attempts=1, leased_until=lease)
    for job in ours:
        job.attempts, job.leased_until = 1, lease
    return ours


def finish(*jobs: OutboxJob) -> None:
    """Done; says nothing of those whose lease was lost and that somebody else has."""
    done = {"status": OutboxJob.Status.DONE, "done_at": timezone.now(), "leased_until": None, "last_error": ""}
    for attempts in {job.attempts for job in jobs}:
        _still_ours(*(job for job in jobs if job.attempts == attempts)).update(**done)


def fail(job: OutboxJob, error: str) -> None:
    """Again later, more and more patiently; dead after ATTEMPTS_MAX."""
    is_last = job.attempts >= ATTEMPTS_MAX
    _still_ours(job).update(
        status=OutboxJob.Status.DEAD if is_last else OutboxJob.Status.WAITING,
        available_at=timezone.now() + timedelta(seconds=backoff_seconds(job.attempts)),
        leased_until=None,
        last_error=error[-ERROR_MAX_CHARS:],
    )


def backoff_seconds(attempts: int) -> float:
    """Doubling, with jitter down to the half so that what failed together does not come back together."""
    return min(RETRY_FIRST_SECONDS * 2.0 ** (attempts - 1), RETRY_MOST_SECONDS) * random.uniform(0.5, 1.0)


def _still_ours(*jobs: OutboxJob) -> QuerySet[OutboxJob]:
    """Jobs of the same number of attempts."""
    return OutboxJob.objects.filter(
        pk__in=[job.pk for job in jobs], attempts=jobs[0].attempts, status=OutboxJob.Status.WAITING
    )
