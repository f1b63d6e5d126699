"""The end of an answer: settle until committed, tell the readers, then what may wait (trace, log)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog

from chat import generations
from chat.errors import Unavailable
from chat.generations import Outcome
from chat.labelled import labelled
from chat.models import Trace
from chat.statements import new
from chat.turn_statements import Window, has_ended
from streaming import metrics, telemetry
from streaming.database import in_database
from streaming.desk import Desk
from streaming.latecomers import Latecomers, Unread
from streaming.trips import Trips
from streaming.writing import Job

SETTLE_RETRY_FIRST_SECONDS = 0.2
SETTLE_RETRY_MOST_SECONDS = 5.0

log = structlog.get_logger(__name__)


async def settle_until_committed(job: Job, outcome: Outcome, trips: Trips) -> bool:
    """Retries while the database is away; False when a newer attempt owns the answer."""
    delay, key, window = SETTLE_RETRY_FIRST_SECONDS, job.run.key, _moved_window(job)
    if trips.is_open:
        told = await trips.tell(generations.settling(key.message_id, key.attempt, outcome, window))
        if told is not None:
            return has_ended(told)
    while True:
        try:
            return await in_database(generations.settle, key.message_id, key.attempt, outcome, window)
        except Unavailable:
            metrics.SETTLE_RETRIES.inc()
            log.warning("settle_retry", messageId=str(key.message_id), delaySeconds=delay)
        await asyncio.sleep(delay)
        delay = min(delay * 2, SETTLE_RETRY_MOST_SECONDS)


def _moved_window(job: Job) -> Window | None:
    start = job.prompts.window_start
    if start == job.prompts.context.window_start:
        return None
    return Window(job.run.key.room_id, start, job.run.head)


def close_up(job: Job, outcome: Outcome, latecomers: Latecomers, desk: Desk) -> None:
    """After the readers have their end: one log line, trace, post-processing released. Loss is survivable."""
    labelled(metrics.ANSWERS, job.path, outcome.status, outcome.error_code).inc()
    key = job.run.key
    unread = Unread(job.user_id, key.request_id, key.room_id, key.message_id, job.clock.received_at)
    if job.run.attendance.absent_since is not None:
        latecomers.expect(unread)
    desk.put(unread, make=partial(_written_up, job, outcome), tell=partial(_log, job, outcome))
    telemetry.export(job, outcome)


def _written_up(job: Job, outcome: Outcome) -> Trace:
    job.clock.observe(job.path)
    key = job.run.key
    return new(
        Trace, request_id=key.request_id, user_id=job.user_id, room_id=key.room_id, character_id=job.character_pk,
        message_id=key.message_id, kind=job.kind, path=job.path, cohort=job.assigned.cohort, stage=job.assigned.stage,
        attempt=key.attempt, outcome=outcome.status, error_code=outcome.error_code, route_name=job.route_name,
        resumes=job.run.attendance.resumes, marks=_marks(job), calls=_calls(job),
    )


def _calls(job: Job) -> list[dict[str, Any]]:
    """When each was asked, too, where there were several: of one the mark `provider_asked` tells."""
    if len(job.calls) < 2:
        return [call.row() for call in job.calls]
    return [call.row() | {"askedMs": round(job.clock.ms(call.asked_at), 1)} for call in job.calls]


def _marks(job: Job) -> dict[str, float]:
    """The stages, and what chat/figures.py must know of owners and readers beside them."""
    attendance, ms = job.run.attendance, job.clock.ms
    left = None if attendance.absent_since is None else ms(attendance.absent_since)
    if left is not None and not attendance.was_read and job.run.key.attempt == 1:
        # Whoever asked was gone before there was an answer to read, and so has not seen it accepted.
        left = job.clock.marks.get("accepted", 0.0)
    beside = {
        "left": left,
        "back": None if attendance.back_at is None else ms(attendance.back_at),
        "took_over": job.took_over_ms,
    }
    return job.clock.rounded() | {name: round(at, 1) for name, at in beside.items() if at is not None}


def _log(job: Job, outcome: Outcome) -> None:
    log.info(
        "answer", **job.who, outcome=outcome.status, code=outcome.error_code, cohort=job.assigned.cohort,
        attempt=job.run.key.attempt, route=job.route_name, recoveries=job.recoveries, calls=len(job.calls),
        chars=len(outcome.text), events=outcome.last_seq, marks=job.clock.rounded(),
    )
