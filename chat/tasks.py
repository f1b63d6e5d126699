"""Celery's way in: shells that carry ids of the outbox and nothing else."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from chat import outbox


@shared_task(name="chat.run_outbox_jobs")  # type: ignore[untyped-decorator]
def run_outbox_jobs(*job_ids: int) -> None:
    """Up to BATCH_JOBS of them, so that the workers share what is more."""
    outbox.run_all(list(job_ids))


@shared_task(name="chat.run_outbox_job")  # type: ignore[untyped-decorator]
def run_outbox_job(job_id: int) -> None:
    """What a process of an older release sends, while both run."""
    outbox.run(job_id)


@shared_task(name="chat.sweep_outbox")  # type: ignore[untyped-decorator]
def sweep_outbox() -> None:
    """For beat: whatever is due and was not taken, its message lost or its worker killed, is sent again."""
    job_ids = outbox.due(limit=500, idle_seconds=settings.OUTBOX_POLL_SECONDS)
    for first in range(0, len(job_ids), outbox.BATCH_JOBS):
        # A message that waits longer than a sweep has a younger twin.
        run_outbox_jobs.apply_async(job_ids[first : first + outbox.BATCH_JOBS], expires=settings.OUTBOX_SWEEP_SECONDS)


@shared_task(name="chat.run_periodic")  # type: ignore[untyped-decorator]
def run_periodic() -> None:
    """For beat: what the schedule says is due. Two at once are one too many, and harmless.

    A job that stands still holds up the rest here; a free worker takes it, or a web process soon after.
    """
    outbox.run_due()
