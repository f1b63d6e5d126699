"""What travels over HTTP beside the events: bodies and answers, as types. Real answers are tested against them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streaming.events import End, Failure, Start, UserMessage


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object."""


class CharacterCard(Shape, frozen=True, kw_only=True):
    """A character as the home page shows it, in the language of the request."""

    character_id: str
    name: str
    tagline: str
    intro: str
    tags: list[str]
    portrait: str
    accent: str
    greetings: list[str]
    talk_count: int


class Characters(Shape, frozen=True, kw_only=True):
    characters: list[CharacterCard]


class RoomCard(Shape, frozen=True, kw_only=True):
    """A room of the user. `running`: an answer is being written in it."""

    room_id: UUID
    title: str
    character_id: str
    name: str
    portrait: str
    accent: str
    last_text: str
    active_at: str
    running: bool


class Rooms(Shape, frozen=True, kw_only=True):
    rooms: list[RoomCard]


class RoomMade(Shape, frozen=True, kw_only=True):
    room_id: UUID


class MessageView(Shape, frozen=True, kw_only=True):
    """A message on show. While it is `writing`, `text`, `seq`, `attempt` and `length` are one consistent position."""

    message_id: UUID
    role: Literal["user", "character"]
    reply_to: UUID | None
    position: int
    text: str
    status: Literal["writing", "complete", "stopped", "interrupted", "failed"]
    created_at: str
    edited: bool
    variants: list[UUID]
    variant_index: int
    request_id: str | None
    attempt: int
    seq: int
    length: int
    checksum: str
    finish_reason: str
    error_code: str


class Page(Shape, frozen=True, kw_only=True):
    """Messages in ascending order; `head` may be older than they are, never newer."""

    room_id: UUID
    head: int
    title: str
    messages: list[MessageView]
    has_more: bool


class OneMessage(Shape, frozen=True, kw_only=True):
    message: MessageView


class Head(Shape, frozen=True, kw_only=True):
    """The room's version."""

    head: int


class TurnResult(Shape, frozen=True, kw_only=True):
    """A completed response: the events that a socket would have carried."""

    user_message: UserMessage | None
    start: Start
    result: End


class ErrorDetail(Shape, frozen=True, kw_only=True):
    """`code` is stable, `message` is for people. `retry_after_ms` comes with what passes by itself."""

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | UnsetType = UNSET


class ErrorAnswer(Shape, frozen=True, kw_only=True):
    error: ErrorDetail


class TurnFailed(Shape, frozen=True, kw_only=True):
    """The model failed; nothing was kept of an answer."""

    error: ErrorDetail
    user_message: UserMessage | None
    start: Start
    result: Failure


class Guest(Shape, frozen=True, kw_only=True):
    user_id: int


class GuestBody(Shape, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`loadTest`: nobody comes in, but a program that measures; its figures are not those of people."""

    load_test: bool = False


class PersonaBody(Shape, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    about: str = ""


class PersonaView(Shape, frozen=True, kw_only=True):
    name: str
    about: str


class NewRoom(Shape, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`greeting` is an index into the character's greetings."""

    character_id: Annotated[str, Meta(pattern=r"^[^\x00]*$")]
    greeting: int = 0


class Health(Shape, frozen=True, kw_only=True):
    status: str


class Readiness(Shape, frozen=True, kw_only=True):
    status: str
    database: bool
