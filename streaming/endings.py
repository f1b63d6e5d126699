"""Terminal events: of a run that just ended, and of an answer that ended earlier, from its rows."""

from __future__ import annotations

from uuid import UUID

from chat.errors import CODES, NotFound
from chat.generations import Outcome
from chat.models import Generation
from streaming.events import End, Failure, FinishReason, Latency, Snapshot, Usage, UserMessage, checksum
from streaming.run import RunKey

#: Failures after which the same request may succeed.
RETRYABLE = frozenset(code for code in CODES if code.startswith("provider_")) - {
    "provider_refused", "provider_not_configured",
} | {"database_unavailable", "internal_error"}


def end_of(key: RunKey, outcome: Outcome) -> End | Failure:
    """The terminal event of an outcome."""
    if outcome.status == Generation.Status.FAILED:
        return failure(key, outcome.last_seq, outcome.error_code)
    reason: FinishReason = outcome.finish_reason  # type: ignore[assignment]
    return End(
        request_id=key.request_id, room_id=key.room_id, message_id=key.message_id,
        seq=outcome.last_seq, attempt=key.attempt, content=outcome.text,
        usage=Usage(
            prompt_tokens=outcome.prompt_tokens, completion_tokens=outcome.completion_tokens,
            cached_tokens=outcome.cached_tokens,
        ),
        latency=Latency(first_ms=outcome.first_ms, total_ms=outcome.total_ms or 0.0),
        length=len(outcome.text), checksum=checksum(outcome.text), finish_reason=reason,
    )


def failure(key: RunKey, seq: int, code: str) -> Failure:
    if code not in CODES:
        # Stored by another version of this program.
        code = "internal_error"
    return Failure(
        request_id=key.request_id, room_id=key.room_id, message_id=key.message_id, seq=seq,
        attempt=key.attempt, code=code, message=CODES[code], retryable=code in RETRYABLE,
    )


def rewound(key: RunKey) -> Failure:
    """The answer is gone: whichever owner wrote it, so no place in it is told."""
    return Failure(
        request_id=key.request_id, room_id=key.room_id, message_id=key.message_id,
        code="message_not_found", message=CODES["message_not_found"], retryable=False,
    )


def load_key(user_id: int, message_id: UUID) -> RunKey:
    """Which generation the user's answer is. Raises NotFound, also for a message that nobody generated."""
    rows = Generation.objects.filter(pk=message_id, room__owner_id=user_id, message__deleted_at=None)
    fields = rows.values_list("request_id", "room_id", "message_id", "attempt").first()
    if fields is None:
        raise NotFound("message_not_found", "There is no such answer.")
    return RunKey(*fields)


def load_ending(user_id: int, message_id: UUID, room_id: UUID | None = None) -> End | Failure | Generation | None:
    """How the user's answer ended; the Generation itself while it runs; None when there is no such answer."""
    rows = Generation.objects.select_related("message__reply_to", "room").filter(
        pk=message_id, room__owner_id=user_id, message__deleted_at=None
    )
    generation = (rows.filter(room_id=room_id) if room_id else rows).first()
    if generation is None or generation.status == Generation.Status.RUNNING:
        return generation
    return ending_of(generation)


def ending_of(generation: Generation) -> End | Failure:
    """From the rows of an answer that is over; `generation.message` must be loaded."""
    key = RunKey(generation.request_id, generation.room_id, generation.pk, generation.attempt)
    return end_of(key, Outcome(
        status=generation.status, text=generation.message.content, last_seq=generation.last_seq or 0,
        finish_reason=generation.finish_reason, error_code=generation.error_code,
        prompt_tokens=generation.prompt_tokens, completion_tokens=generation.completion_tokens,
        cached_tokens=generation.cached_tokens, first_ms=generation.first_ms, total_ms=generation.total_ms,
    ))


def said_before(generation: Generation) -> UserMessage | None:
    """The user's words that came with this very turn; its room and `message.reply_to` must be loaded."""
    said = generation.message.reply_to
    if said is None or generation.kind != Generation.Kind.REPLY:
        return None
    return UserMessage(
        request_id=generation.request_id, room_id=generation.room_id, message_id=said.pk,
        text=said.content, position=said.position, created_at=said.created_at.isoformat(),
        head=generation.room.head,
    )


def checkpoint_of(generation: Generation) -> Snapshot:
    """Running: what the database has of it."""
    return Snapshot(
        request_id=generation.request_id, room_id=generation.room_id, message_id=generation.pk,
        seq=generation.checkpoint_seq, attempt=generation.attempt, text=generation.checkpoint_text,
    )
