"""The end of an answer: settle until committed, tell the readers, then what may wait (trace, log)."""

from __future__ import annotations

import asyncio

import structlog
from django.db import IntegrityError

from chat import generations, outbox
from chat.errors import Unavailable
from chat.generations import Outcome
from chat.models import Trace
from streaming import metrics
from streaming.database import in_database
from streaming.writing import Job

SETTLE_RETRY_FIRST_SECONDS = 0.2
SETTLE_RETRY_MOST_SECONDS = 5.0

log = structlog.get_logger(__name__)


async def settle_until_committed(job: Job, outcome: Outcome) -> bool:
    """Retries while the database is away; False when a newer attempt owns the answer."""
    delay = SETTLE_RETRY_FIRST_SECONDS
    while True:
        try:
            return await in_database(generations.settle, job.run.key.message_id, job.run.key.attempt, outcome)
        except Unavailable:
            metrics.SETTLE_RETRIES.inc()
            log.warning("settle_retry", messageId=str(job.run.key.message_id), delaySeconds=delay)
        await asyncio.sleep(delay)
        delay = min(delay * 2, SETTLE_RETRY_MOST_SECONDS)


async def close_up(job: Job, outcome: Outcome) -> None:
    """After the readers have their end: trace, post-processing released, one log line. Loss is survivable."""
    _log(job, outcome)
    try:
        await in_database(_write_after, job, outcome)
    except (Unavailable, IntegrityError) as error:
        # Integrity: the room or the guest who asked has been deleted meanwhile.
        metrics.TRACES_LOST.inc()
        log.warning("trace_lost", requestId=job.run.key.request_id, cause=str(error))


def _write_after(job: Job, outcome: Outcome) -> None:
    key = job.run.key
    outbox.release(key.message_id)
    if job.prompts.window_start != job.prompts.context.window_start:
        generations.set_window_start(key.room_id, job.prompts.window_start, head=job.run.head)
    generations.write_trace(Trace(
        request_id=key.request_id, user_id=job.user_id, room_id=key.room_id, character_id=job.character_pk,
        message_id=key.message_id, path=job.path, attempt=key.attempt, outcome=outcome.status,
        error_code=outcome.error_code, marks=job.clock.rounded(),
        calls=[call.row() for call in job.calls],
    ))


def _log(job: Job, outcome: Outcome) -> None:
    key = job.run.key
    job.clock.observe(job.path)
    metrics.ANSWERS.labels(path=job.path, outcome=outcome.status, code=outcome.error_code).inc()
    log.info(
        "answer", requestId=key.request_id, roomId=str(key.room_id), userId=job.user_id,
        characterId=job.character_id, path=job.path, outcome=outcome.status, code=outcome.error_code,
        attempt=key.attempt, route=job.route_name, recoveries=job.recoveries, calls=len(job.calls),
        chars=len(outcome.text), events=outcome.last_seq, marks=job.clock.rounded(),
    )
