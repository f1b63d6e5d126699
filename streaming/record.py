"""What is kept of an answer between its end and its row: values, not the answer itself, whose text and prompt may go.

Made at the end, when all of it is at hand; told and written a moment later, among others (desk.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import structlog

from chat.generations import Outcome
from chat.models import Trace
from chat.statements import new
from streaming.attendance import Attendance
from streaming.instrumentation import StageClock
from streaming.providers.calls import Call
from streaming.writing import Job

log = structlog.get_logger(__name__)


class Record(NamedTuple):
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
    resumes: int
    clock: StageClock
    marks: dict[str, float]
    beside: dict[str, float]
    chars: int
    events: int

    def tell(self) -> None:
        """The one line of the request."""
        log.info(
            "answer", **self.who, outcome=self.outcome, code=self.error_code, cohort=self.cohort,
            attempt=self.attempt, route=self.route, recoveries=self.recoveries, calls=len(self.calls),
            chars=self.chars, events=self.events, marks=self.marks,
        )

    def trace(self) -> Trace:
        """Its row, as the server alone has it; counts its stages too, and so is made once."""
        who = self.who
        self.clock.observe(who["path"])
        return new(
            Trace, request_id=who["requestId"], user_id=who["userId"], room_id=self.room_id,
            character_id=self.character_pk, message_id=self.message_id, kind=self.kind, path=who["path"],
            cohort=self.cohort, stage=self.stage, attempt=self.attempt, outcome=self.outcome,
            error_code=self.error_code, route_name=self.route, resumes=self.resumes,
            marks=self.marks | self.beside, calls=self._rows_of_calls(),
        )

    def _rows_of_calls(self) -> list[dict[str, Any]]:
        """When each was asked, too, where there were several: of one the mark `provider_asked` tells."""
        if len(self.calls) < 2:
            return [call.row() for call in self.calls]
        return [call.row() | {"askedMs": round(self.clock.ms(call.asked_at), 1)} for call in self.calls]


def record_of(job: Job, outcome: Outcome) -> Record:
    """Of an answer whose readers have its end."""
    key, attendance = job.run.key, job.run.attendance
    return Record(
        job.who, key.room_id, key.message_id, job.character_pk, job.kind, job.assigned.cohort, job.assigned.stage,
        key.attempt, outcome.status, outcome.error_code, job.route_name, job.recoveries, job.calls,
        attendance.resumes, job.clock, job.clock.rounded(), _beside(job, attendance), len(outcome.text),
        outcome.last_seq,
    )


def _beside(job: Job, attendance: Attendance) -> dict[str, float]:
    """What chat/figures.py must know of owners and readers beside the stages."""
    marks, ms = {}, job.clock.ms
    if attendance.absent_since is not None:
        # Whoever was gone before there was an answer to read has not seen it accepted.
        is_unseen = not attendance.was_read and job.run.key.attempt == 1
        marks["left"] = job.clock.marks.get("accepted", 0.0) if is_unseen else ms(attendance.absent_since)
    if attendance.back_at is not None:
        marks["back"] = ms(attendance.back_at)
    if job.took_over_ms is not None:
        marks["took_over"] = job.took_over_ms
    return {name: round(at, 1) for name, at in marks.items()}
