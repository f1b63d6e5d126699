"""What a client may say. `parse_command` turns a frame into one value or one BadCommand.

Must not know Django, sockets or the database. Limits on text belong to `chat.messages`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from chat.errors import BadCommand

# In Python `$` alone would let a last newline through.
RequestId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}(?!\n)$")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=10_000_000)]


class Command(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel", forbid_unknown_fields=True
):
    """Base: unknown fields from a client are an error."""


class SendMessage(Command, tag="send_message", frozen=True, kw_only=True):
    """`client_sent_at`: the browser's clock at the click, milliseconds since 1970."""

    request_id: RequestId
    text: str
    client_sent_at: float | None = None


class Regenerate(Command, tag="regenerate", frozen=True, kw_only=True):
    """Another answer beside `message_id`; or an answer to it, when it is a user's message without one."""

    request_id: RequestId
    message_id: UUID
    client_sent_at: float | None = None


class ContinueMessage(Command, tag="continue_message", frozen=True, kw_only=True):
    """Write on from the end of `message_id`, as a new variant that begins with its text."""

    request_id: RequestId
    message_id: UUID
    client_sent_at: float | None = None


class Stop(Command, tag="stop", frozen=True, kw_only=True):
    """End the answer; its text is clamped to the `seen_length` code points the reader saw."""

    message_id: UUID
    seen_length: Count


class Known(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a reader has of one unfinished answer; `length` in code points."""

    message_id: UUID
    attempt: Count
    seq: Annotated[int, Meta(ge=-1, le=10_000_000)]
    length: Count


class Resume(Command, tag="resume", frozen=True, kw_only=True):
    """Sent after `ready` and on a gap. Everything running that is not in `known` comes as start + snapshot."""

    known: Annotated[list[Known], Meta(max_length=50)]


class SelectVariant(Command, tag="select_variant", frozen=True, kw_only=True):
    """Show `message_id` at its place instead of the variant there; only at the end of the story."""

    message_id: UUID


class EditMessage(Command, tag="edit_message", frozen=True, kw_only=True):
    """Replace the text of a message, one's own or the character's."""

    message_id: UUID
    text: str


class RewindRoom(Command, tag="rewind", frozen=True, kw_only=True):
    """Drop everything after `message_id`."""

    message_id: UUID


class Received(Command, tag="received", frozen=True, kw_only=True):
    """Cumulative: everything up to `seq` of `message_id` has arrived. Moves the credit window."""

    message_id: UUID
    seq: Count


class Timing(Command, tag="timing", frozen=True, kw_only=True):
    """Client stage marks, milliseconds since the click; the first report of a request counts.

    `room_id` where the socket does not say it: only then is a send known that never reached the server.
    """

    request_id: RequestId
    room_id: UUID | None = None
    marks: Annotated[dict[Annotated[str, Meta(pattern=r"^[\w.-]{1,32}(?!\n)$")], float], Meta(max_length=32)]


class Typing(Command, tag="typing", frozen=True, kw_only=True):
    """A hint to warm the room and the provider."""


TurnCommand: TypeAlias = SendMessage | Regenerate | ContinueMessage
RoomCommand: TypeAlias = Stop | SelectVariant | EditMessage | RewindRoom
AnyCommand: TypeAlias = TurnCommand | RoomCommand | Resume | Received | Timing | Typing

COMMAND_TYPES: dict[str, type[Command]] = {
    str(cls.__struct_config__.tag): cls
    for cls in (
        SendMessage, Regenerate, ContinueMessage, Stop, Resume, SelectVariant, EditMessage,
        RewindRoom, Received, Timing, Typing,
    )
}


class _Tag(msgspec.Struct):
    type: str


_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_tag_decoder = msgspec.json.Decoder(_Tag)


def parse_command(frame: str | bytes) -> AnyCommand:
    """A text frame → a command. Raises BadCommand: bad_json, unknown_type or invalid_fields."""
    try:
        return _decoder.decode(frame)
    except msgspec.ValidationError as error:
        raise _explain(frame, error) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadCommand("bad_json", "The frame is not JSON.") from None


def _explain(frame: str | bytes, error: msgspec.ValidationError) -> BadCommand:
    try:
        tag = _tag_decoder.decode(frame).type
    except (msgspec.MsgspecError, RecursionError):
        return BadCommand("invalid_fields", "A command is a JSON object with a string `type`.")
    if tag not in COMMAND_TYPES:
        return BadCommand("unknown_type", f"There is no command {tag[:40]!r}.")
    return BadCommand("invalid_fields", str(error))
