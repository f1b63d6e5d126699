"""A browser's report of one request, from either door to its trace."""

from __future__ import annotations

from uuid import UUID

from chat import traces
from chat.pending_traces import Read
from chat.traces import Report
from streaming.commands import Timing
from streaming.identity import Identity
from streaming.rollout import assignment


def is_at_hand(identity: Identity, request_id: str) -> bool:
    """Its answer has just ended in this process: a report is noted without a trip to the database."""
    return traces.pending.has((identity.user_id, request_id))


def report_at_hand(identity: Identity, request_id: str, read: Read) -> bool:
    """Noted, if it is at hand; `read` when its trace is made."""
    return traces.report_at_hand(identity.user_id, request_id, read)


def report_timing(identity: Identity, told: Timing, room_id: UUID | None) -> None:
    """In a database thread. Nothing is answered, whatever it is worth: a page that goes away waits for nothing."""
    assigned = assignment(identity.user_id, identity.is_staff, is_load=identity.is_load)
    traces.report(Report(
        user_id=identity.user_id, request_id=told.request_id, marks=told.marks, room_id=room_id,
        path=assigned.path, cohort=assigned.cohort, stage=assigned.stage,
    ))
