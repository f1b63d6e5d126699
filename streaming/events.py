"""What the server may say: typed, closed, listed here and nowhere else.

Owns the names and fields on the wire. Must not know Django, sockets or the database.
Docs: PROTOCOL.md, generated from these classes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID
from zlib import crc32

import msgspec
from msgspec import UNSET, UnsetType

PROTOCOL_VERSION = 1

Path = Literal["stream", "sse", "completed", "fallback"]
Stage = Literal["accepted", "done"]
FinishReason = Literal["stop", "length", "stopped", "interrupted", "content_filter"]


class Wire(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """Base of everything on the wire: JSON object, `type` in snake_case, fields in camelCase."""


class Ready(Wire, tag="ready", frozen=True, kw_only=True):
    """First frame on a socket. `head` is the room's version; `window` the credit in events."""

    v: int = PROTOCOL_VERSION
    room_id: UUID
    head: int
    path: Path
    heartbeat_seconds: float
    window: int


class Ack(Wire, tag="ack", frozen=True, kw_only=True):
    """accepted: the message is committed and its generation owned. done: the answer is committed."""

    request_id: str
    stage: Stage
    message_id: UUID


class UserMessage(Wire, tag="user_message", frozen=True, kw_only=True):
    """A user's message was accepted; every tab gets it, the sender's too. `head` is the room's new version."""

    request_id: str
    room_id: UUID
    message_id: UUID
    text: str
    position: int
    created_at: str
    head: int = 0


class Generated(Wire, frozen=True, kw_only=True):
    """Fields of every event of one generation. `seq` is contiguous from 0 for a messageId."""

    request_id: str
    room_id: UUID
    message_id: UUID
    seq: int
    attempt: int


class Start(Generated, tag="ai_message_start", frozen=True, kw_only=True):
    """An answer begins (C1). Same `reply_to`, same `position`: a variant. `head` is the room's new version."""

    reply_to: UUID | None
    position: int
    head: int = 0


class Chunk(Generated, tag="ai_message_chunk", frozen=True, kw_only=True):
    """Text to append (C1). `from_seq` is set when several events travel merged as one."""

    chunk: str
    from_seq: int | UnsetType = UNSET


class Rewind(Generated, tag="ai_message_rewind", frozen=True, kw_only=True):
    """A new owner took over: cut the text to `length` code points; older attempts are void."""

    length: int


class Snapshot(Generated, tag="ai_message_snapshot", frozen=True, kw_only=True):
    """The whole text as of `seq`; replaces what the reader has."""

    text: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=False):
    """Tokens as the provider counted them; null where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Milliseconds since the command was received; `first_ms` is null when nothing was written."""

    first_ms: float | None
    total_ms: float


class End(Generated, tag="ai_message_end", frozen=True, kw_only=True):
    """The answer is committed (C1). `length` in code points; `checksum` is CRC-32 of the UTF-8, 8 hex digits."""

    content: str
    usage: Usage
    latency: Latency
    length: int
    checksum: str
    finish_reason: FinishReason


class Failure(Wire, tag="ai_message_error", frozen=True, kw_only=True):
    """No answer, or none worth keeping (C1). The generation is over."""

    request_id: str
    room_id: UUID
    message_id: UUID | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    attempt: int | UnsetType = UNSET
    code: str
    message: str
    retryable: bool


class Waiting(Wire, tag="ai_message_waiting", frozen=True, kw_only=True):
    """The model is busy: so many requests are ahead of this answer's; null once it waits no more.

    Not logged, not replayed, never after a chunk. Without `message_id`: to the sender, before the message is accepted;
    the start ends it.
    """

    request_id: str
    room_id: UUID
    message_id: UUID | UnsetType = UNSET
    ahead: int | None


class RoomChanged(Wire, tag="room_changed", frozen=True, kw_only=True):
    """Something durable changed (variant, edit, rewind, title): refetch the room's messages."""

    room_id: UUID
    head: int


class Heartbeat(Wire, tag="heartbeat", frozen=True, kw_only=True):
    """Sent when nothing else was; `head` lets a reader notice what it missed."""

    head: int


class Drain(Wire, tag="drain", frozen=True, kw_only=True):
    """This process will stop: reconnect after a random part of `retry_after_ms`."""

    retry_after_ms: int


class PathChanged(Wire, tag="path_changed", frozen=True, kw_only=True):
    """The rollout moved: this reader's next requests take this path, as in `ready`. Answers that run go on."""

    path: Path


class CommandError(Wire, tag="error", frozen=True, kw_only=True):
    """A command was refused; nothing changed. `retryable`: the same command may be obeyed later."""

    code: str
    message: str
    retryable: bool = False
    request_id: str | UnsetType = UNSET
    message_id: UUID | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


GenerationEvent: TypeAlias = Start | Chunk | Rewind | Snapshot | End | Failure
Event: TypeAlias = (
    Ready
    | Ack
    | UserMessage
    | Start
    | Chunk
    | Rewind
    | Snapshot
    | End
    | Failure
    | Waiting
    | RoomChanged
    | Heartbeat
    | Drain
    | PathChanged
    | CommandError
)

EVENT_TYPES: dict[str, type[Wire]] = {
    str(cls.__struct_config__.tag): cls
    for cls in (
        Ready, Ack, UserMessage, Start, Chunk, Rewind, Snapshot, End, Failure, Waiting,
        RoomChanged, Heartbeat, Drain, PathChanged, CommandError,
    )
}

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: msgspec.Struct) -> str:
    """One JSON text frame."""
    return _encoder.encode(event).decode()


def decode(frame: str | bytes) -> Event:
    """For Python readers of the contract (`talk`, bench, tests); raises msgspec.ValidationError."""
    return _decoder.decode(frame)


def checksum(text: str) -> str:
    """CRC-32 of the UTF-8 text as eight hex digits; a lone surrogate counts as U+FFFD."""
    return f"{crc32(_utf8(text)):08x}"


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16, as a browser's TextEncoder: two halves that meet are one character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
