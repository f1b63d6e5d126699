"""A turn that has ended, as the engine leaves it: everything committed, its outbox row held back."""

from __future__ import annotations

from uuid import UUID

from chat import traces
from chat.generations import Outcome, settle
from chat.messages import Request, accept_send
from chat.models import OutboxJob, Room, Trace
from tests.people import request_id


def answered(room: Room, text: str = "Hello there.", reply: str = "*waves* \"Hi.\"", status: str = "done") -> UUID:
    """The messageId of the answer."""
    request = Request(
        user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner="tests"
    )
    accepted = accept_send(request, text)
    assert settle(accepted.message_id, accepted.attempt, Outcome(status=status, text=reply, last_seq=2))
    return accepted.message_id


def job_of(message_id: UUID) -> OutboxJob:
    return OutboxJob.objects.get(message_id=message_id, kind="after_reply")


def write_trace(trace: Trace) -> None:
    """The server's side of a request, and nothing else that waits to be written."""
    traces.keep(trace.user_id, trace.request_id, lambda: trace)
    assert traces.write(traces.made(traces.pending.collect([(trace.user_id, trace.request_id)]))) == 0
