"""What an operator wants of the outbox: how it stands, dead jobs tried again, old ones forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from chat.models import OutboxJob

DONE_KEPT_DAYS = 7


def retry(job_ids: list[int] | None = None) -> int:
    """Give dead jobs (all, or those named) a new life; returns how many."""
    dead = OutboxJob.objects.filter(status=OutboxJob.Status.DEAD)
    if job_ids is not None:
        dead = dead.filter(pk__in=job_ids)
    return dead.update(
        status=OutboxJob.Status.WAITING, attempts=0, available_at=timezone.now(), leased_until=None
    )


def prune() -> int:
    """Forget what was done more than DONE_KEPT_DAYS ago; returns how many rows."""
    before = timezone.now() - timedelta(days=DONE_KEPT_DAYS)
    deleted, _ = OutboxJob.objects.filter(status=OutboxJob.Status.DONE, done_at__lt=before).delete()
    return deleted


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many jobs wait, how many are dead, and since how many seconds the oldest one is due."""

    waiting: int
    dead: int
    oldest_due_seconds: float


def backlog() -> Backlog:
    waiting = Q(status=OutboxJob.Status.WAITING)
    found = OutboxJob.objects.exclude(status=OutboxJob.Status.DONE).aggregate(
        waiting=Count("pk", filter=waiting), dead=Count("pk", filter=~waiting),
        oldest=Min("available_at", filter=waiting),
    )
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Backlog(found["waiting"], found["dead"], max(age, 0.0))
