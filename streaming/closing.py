"""The end of an answer: settle until committed, tell the readers, then what may wait (trace, log)."""

from __future__ import annotations

import asyncio

import structlog

from chat import generations
from chat.errors import Unavailable
from chat.generations import Outcome
from chat.labelled import note
from chat.turn_statements import Window, has_ended
from streaming import metrics, telemetry
from streaming.database import in_database
from streaming.desk import Desk
from streaming.latecomers import Latecomers, Unread
from streaming.record import record_of
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
    note(metrics.ANSWERS, job.path, outcome.status, outcome.error_code)
    key = job.run.key
    unread = Unread(job.user_id, key.request_id, key.room_id, key.message_id, job.clock.received_at)
    if job.run.attendance.absent_since is not None:
        latecomers.expect(unread)
    record = record_of(job, outcome)
    desk.put(unread, make=record.trace, tell=record.tell)
    telemetry.export(job, outcome)
