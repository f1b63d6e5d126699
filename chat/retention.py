"""What is measured is kept for a while and then deleted, a batch at a time: no lock is held for long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from chat.models import Trace

BATCH_ROWS = 1_000
#: For whom something else waits meanwhile: the rest is for the next time.
UPKEEP_BATCHES = 50


def old_traces(days: int) -> QuerySet[Trace]:
    """Those that are older than so many days, the oldest first."""
    return Trace.objects.filter(created_at__lt=timezone.now() - timedelta(days=days)).order_by("created_at")


def purge(days: int, *, batches_most: int | None = None) -> int:
    """Delete them; returns how many rows. Each batch is a transaction of its own."""
    deleted = batches = 0
    while batches_most is None or batches < batches_most:
        batch = list(old_traces(days).values_list("pk", flat=True)[:BATCH_ROWS])
        deleted += Trace.objects.filter(pk__in=batch).delete()[0] if batch else 0
        batches += 1
        if len(batch) < BATCH_ROWS:
            break
    return deleted


def keep_up() -> int:
    """As the setting says, by the process that sees to upkeep."""
    days = settings.TRACE_RETENTION_DAYS
    return purge(days, batches_most=UPKEEP_BATCHES) if days > 0 else 0
