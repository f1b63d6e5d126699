"""What is kept of an answer between its end and its row: some hundred bytes, not the answer, whose text and prompt go.

Made at the end, when all of it is at hand; told and written a second later, among others (desk.py). As bytes, because a
hundred small objects would have left the processor's caches by then, and to fetch each costs more than to pack all.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import structlog

from chat.generations import Outcome
from chat.models import Trace
from chat.statements import new
from streaming.instrumentation import observe, rounded, tenths
from streaming.providers.calls import Call
from streaming.writing import Job

log = structlog.get_logger(__name__)


class _Fields(msgspec.Struct, array_like=True):
    """Marks in milliseconds since `received`; `beside`: those that are no stage."""

    who: dict[str, Any]
    room_id: UUID
    message_id: UUID
    character_pk: int
    kind: str
    cohort: str
    stage: int
    attempt: int
    outcome: str
    error_code: str
    route: str
    recoveries: list[str]
    calls: list[Call]
    received_at: float
    resumes: int
    marks: dict[str, float]
    beside: dict[str, float]
    chars: int
    events: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Fields)


class Record:
    """Told first, and then its trace is made."""

    __slots__ = ("_fields", "_packed")

    def __init__(self, fields: _Fields) -> None:
        self._packed = _encoder.encode(fields)
        self._fields: _Fields | None = None

    def tell(self) -> None:
        """The one line of the request; its stages are counted with it."""
        of = self._unpacked()
        observe(of.marks, of.who["path"])
        log.info(
            "answer", **of.who, outcome=of.outcome, code=of.error_code, cohort=of.cohort, attempt=of.attempt,
            route=of.route, recoveries=of.recoveries, calls=len(of.calls), chars=of.chars, events=of.events,
            marks=of.marks,
        )

    def trace(self) -> Trace:
        """Its row, as the server alone has it."""
        of = self._unpacked()
        who = of.who
        return new(
            Trace, request_id=who["requestId"], user_id=who["userId"], room_id=of.room_id,
            character_id=of.character_pk, message_id=of.message_id, kind=of.kind, path=who["path"],
            cohort=of.cohort, stage=of.stage, attempt=of.attempt, outcome=of.outcome, error_code=of.error_code,
            route_name=of.route, resumes=of.resumes, marks=of.marks | of.beside, calls=_rows_of_calls(of),
        )

    # Internal

    def _unpacked(self) -> _Fields:
        if self._fields is None:
            of = self._fields = _decoder.decode(self._packed)
            of.marks, of.beside = rounded(of.marks), rounded(of.beside)
        return self._fields


def record_of(job: Job, outcome: Outcome) -> Record:
    """Of an answer whose readers have its end."""
    key, attendance = job.run.key, job.run.attendance
    return Record(_Fields(
        job.who, key.room_id, key.message_id, job.character_pk, job.kind, job.assigned.cohort, job.assigned.stage,
        key.attempt, outcome.status, outcome.error_code, job.route_name, job.recoveries, job.calls,
        job.clock.received_at, attendance.resumes, job.clock.marks, _beside(job), len(outcome.text), outcome.last_seq,
    ))


def _rows_of_calls(of: _Fields) -> list[dict[str, Any]]:
    """When each was asked, too, where there were several: of one the mark `provider_asked` tells."""
    if len(of.calls) < 2:
        return [call.row() for call in of.calls]
    return [call.row() | {"askedMs": tenths((call.asked_at - of.received_at) * 1000)} for call in of.calls]


def _beside(job: Job) -> dict[str, float]:
    """What chat/figures.py must know of owners and readers beside the stages."""
    marks, ms, attendance = {}, job.clock.ms, job.run.attendance
    if attendance.absent_since is not None:
        # Whoever was gone before there was an answer to read has not seen it accepted.
        is_unseen = not attendance.was_read and job.run.key.attempt == 1
        marks["left"] = job.clock.marks.get("accepted", 0.0) if is_unseen else ms(attendance.absent_since)
    if attendance.back_at is not None:
        marks["back"] = ms(attendance.back_at)
    if job.took_over_ms is not None:
        marks["took_over"] = job.took_over_ms
    return marks
