"""Every address of the HTTP contract, as data: who may ask, with what, for what, and what can be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chatproject.schema.shapes import (
    Characters,
    Guest,
    GuestBody,
    Head,
    Health,
    NewRoom,
    OneMessage,
    Page,
    PersonaBody,
    PersonaView,
    Readiness,
    RoomMade,
    Rooms,
    TurnResult,
)
from streaming.commands import ContinueMessage, EditMessage, Regenerate, RewindRoom, SelectVariant, SendMessage, Timing
from streaming.commands import Stop as StopCommand

EVENT_STREAM = "text/event-stream"
#: What any request that takes a body can be told.
BODY_CODES = ("bad_json", "invalid_fields", "frame_too_large", "csrf_failed", "rate_limited")
TURN_CODES = (
    "unknown_type", "text_empty", "text_too_long", "request_id_conflict", "generation_running", "message_running",
    "not_last_message", "not_regenerable", "not_continuable", "too_many_generations", "draining", "overloaded",
    "room_not_found", "message_not_found", "session_expired",
)
CHANGE_CODES = (
    "unknown_type", "text_empty", "text_too_long", "generation_running", "message_running", "message_not_running",
    "not_last_message", "room_not_found", "message_not_found",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """`answer` is a JSON type, a media type, or None for an empty answer. `body` is one command or body of several."""

    id: str
    method: Literal["get", "post"]
    path: str
    summary: str
    answer: type | str | None
    status: int = 200
    body: tuple[type, ...] = ()
    is_turn: bool = False
    is_signed_in: bool = True
    is_api: bool = True
    codes: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


TURN = (SendMessage, Regenerate, ContinueMessage)
RESUMED = {"Last-Event-ID": "`<seq>-<attempt>` of the last event seen, as the stream's `id:` told it; `<seq>` will do."}

OPERATIONS: tuple[Operation, ...] = (
    Operation("listCharacters", "get", "/chat/characters", "Published characters.", Characters, is_signed_in=False),
    Operation("listRooms", "get", "/chat/rooms", "The user's rooms, newest activity first.", Rooms),
    Operation(
        "makeRoom", "post", "/chat/rooms", "A new story with a character.", RoomMade, status=201, body=(NewRoom,),
        codes=("character_not_found",),
    ),
    Operation(
        "listMessages", "get", "/chat/rooms/{roomId}/messages", "A page of a room, the newest unless told.",
        Page, codes=("room_not_found", "invalid_fields"),
        query={"before": "Only messages at positions below this.", "limit": "How many; 30 unless said, 100 at most."},
    ),
    Operation(
        "changeRoom", "post", "/chat/rooms/{roomId}/commands", "Stop, choose, edit or rewind, without a socket.", Head,
        body=(StopCommand, SelectVariant, EditMessage, RewindRoom), codes=CHANGE_CODES,
    ),
    Operation(
        "completeTurn", "post", "/chat/messages", "A turn whose answer comes as a whole; waits for it. A known "
        "requestId gets the first result.", TurnResult, body=TURN, is_turn=True, codes=TURN_CODES,
    ),
    Operation(
        "streamTurn", "post", "/chat/messages/stream", "A turn whose events come as server-sent events.", EVENT_STREAM,
        body=TURN, is_turn=True, codes=TURN_CODES,
    ),
    Operation(
        "readMessage", "get", "/chat/messages/{messageId}", "One message; for polling an answer.", OneMessage,
        codes=("message_not_found",),
    ),
    Operation(
        "resumeStream", "get", "/chat/messages/{messageId}/stream", "One answer's events: replay or snapshot, then "
        "live, to its end.", EVENT_STREAM, codes=("message_not_found",), headers=RESUMED,
    ),
    Operation(
        "tellTimings", "post", "/chat/timings", "Client stage marks of a request; by `navigator.sendBeacon` as a form, "
        "with the same JSON in `timing`, and `csrfmiddlewaretoken`.", None, status=204, body=(Timing,),
        codes=("unknown_type",),
    ),
    Operation(
        "enterAsGuest", "post", "/accounts/guest/", "Sign in without an account; who is signed in stays who they are.",
        Guest, body=(GuestBody,), is_signed_in=False,
    ),
    Operation(
        "setPersona", "post", "/accounts/persona/", "Who the user is in stories made from now on.", PersonaView,
        body=(PersonaBody,), codes=("text_empty", "text_too_long"),
    ),
    Operation(
        "isAlive", "get", "/healthz", "This process answers.", Health, is_signed_in=False, is_api=False,
    ),
    Operation(
        "isReady", "get", "/readyz", "This process can serve; 503 when its database does not answer.", Readiness,
        is_signed_in=False, is_api=False,
    ),
    Operation(
        "scrape", "get", "/metrics", "Prometheus text, for this machine or with METRICS_TOKEN as bearer token.",
        "text/plain", is_signed_in=False, is_api=False,
    ),
    Operation(
        "readAsyncapi", "get", "/schema/asyncapi.json", "The socket's contract.", "application/json",
        is_signed_in=False, is_api=False,
    ),
    Operation(
        "readOpenapi", "get", "/schema/openapi.json", "This document.", "application/json",
        is_signed_in=False, is_api=False,
    ),
)


def codes_of(operation: Operation) -> tuple[str, ...]:
    """Every refusal that the operation can answer with, but for the answer's own failure."""
    if not operation.is_api:
        return ()
    always = ("method_not_allowed", "internal_error", "database_unavailable")
    signed_in = ("not_signed_in",) if operation.is_signed_in else ()
    return (*operation.codes, *signed_in, *(BODY_CODES if operation.body else ()), *always)
