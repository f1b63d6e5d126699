"""Doing the jobs: claim, run, say how it went. What a job raises is kept on its row."""

from __future__ import annotations

import traceback
from typing import Any

import structlog
from prometheus_client import Counter

from chat.models import Generation, OutboxJob
from chat.outbox import jobs
from chat.post_processing import JOBS

BATCH_JOBS = 50
FIELDS = ("requestId", "roomId", "userId", "characterId", "path")

DONE = Counter("soksak_outbox_jobs_total", "Deferred jobs that were run here, by how they ended.", ["kind", "outcome"])

log = structlog.get_logger(__name__)


def run(job_id: int) -> bool:
    """Do this job unless it is not ours to do (done, leased, not due, dead). True when it was done here."""
    job = jobs.claim(job_id)
    if job is None or not _perform([job]):
        return False
    jobs.finish(job)
    return True


def drain(*, idle_seconds: float = 0.0) -> int:
    """Do what is due, up to BATCH_JOBS; returns how many were looked at."""
    job_ids = jobs.due(BATCH_JOBS, idle_seconds=idle_seconds)
    if job_ids:
        run_all(job_ids)
    return len(job_ids)


def run_all(job_ids: list[int]) -> None:
    """As `run` for each; those that were never tried in a handful of statements."""
    untried = jobs.claim_untried(job_ids)
    # Finished together: should we die before, they are run again, as any job may be.
    kinds = sorted({job.kind for job in untried})
    jobs.finish(*[job for kind in kinds for job in _perform([one for one in untried if one.kind == kind])])
    for job_id in sorted(set(job_ids) - {job.pk for job in untried}):
        run(job_id)


def _perform(several: list[OutboxJob]) -> list[OutboxJob]:
    """Jobs of one kind; returns those that did not fail. The row of one that failed says so."""
    kind = several[0].kind
    try:
        JOBS[kind](*[job.message_id for job in several])
    except Exception as error:  # noqa: BLE001 - whatever a job raises belongs on its row, and to a person
        if len(several) > 1:
            return [done for job in several for done in _perform([job])]
        _note_failure(several[0], error)
        return []
    DONE.labels(kind, "done").inc(len(several))
    return several


def _note_failure(job: OutboxJob, error: Exception) -> None:
    jobs.fail(job, "".join(traceback.format_exception(error)))
    DONE.labels(job.kind, "failed").inc()
    about = {**_who(job), "job": job.pk, "kind": job.kind, "attempts": job.attempts}
    log.warning("outbox_job_failed", **about, error=repr(error))


def _who(job: OutboxJob) -> dict[str, Any]:
    """The request it follows from, as every line about it says."""
    rows = Generation.objects.filter(pk=job.message_id)
    fields = rows.values_list("request_id", "room_id", "user_id", "room__character__slug", "path").first()
    if fields is None:
        return {"messageId": str(job.message_id)}
    request_id, room_id, *rest = fields
    return dict(zip(FIELDS, [request_id, str(room_id), *rest], strict=True))
