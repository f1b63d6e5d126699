"""Celery's way in: shells that carry an outbox id and nothing else."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from chat import outbox


@shared_task(name="chat.run_outbox_job")  # type: ignore[untyped-decorator]
def run_outbox_job(job_id: int) -> None:
    outbox.run(job_id)


@shared_task(name="chat.sweep_outbox")  # type: ignore[untyped-decorator]
def sweep_outbox() -> None:
    """For beat: whatever is due and was not taken, its message lost or its worker killed, is sent again."""
    for job_id in outbox.due(limit=500, idle_seconds=settings.OUTBOX_POLL_SECONDS):
        # A message that waits longer than a sweep has a younger twin.
        run_outbox_job.apply_async((job_id,), expires=settings.OUTBOX_SWEEP_SECONDS)


@shared_task(name="chat.run_periodic")  # type: ignore[untyped-decorator]
def run_periodic() -> None:
    """For beat: what the schedule says is due. Two workers at once are one too many, and harmless."""
    outbox.run_due()
