"""The HTTP doors: JSON in, JSON or events out; the same engine as the socket's."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.translation import get_language
from msgspec import Meta

from chat import history, rates, rooms
from chat.api import body_of, decoded, error_body, form_field, json_view
from chat.errors import BadCommand, NotFound, Unavailable
from streaming.commands import (
    ContinueMessage,
    Regenerate,
    RoomCommand,
    SendMessage,
    Timing,
    TurnCommand,
    parse_command,
)
from streaming.database import in_database
from streaming.endings import load_key
from streaming.engine import Engine, get_engine
from streaming.events import End, Start
from streaming.identity import identity_of
from streaming.run import Run, Terminal
from streaming.service import change_room, take_turn, user_message
from streaming.sse import answer_stream, parse_last_event_id, turn_stream
from streaming.timings import report_timing
from streaming.turns import Door, Turn

#: A route's own limit is shorter; takeovers may add to it.
ANSWER_WAIT_SECONDS = 240.0


@json_view("GET", signed_in=False)
async def characters(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse({"characters": await in_database(rooms.list_characters, get_language() or "ko")})


class NewRoom(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of POST /chat/rooms; `greeting` is an index into the character's greetings."""

    character_id: Annotated[str, Meta(pattern=r"^[^\x00]*$")]
    greeting: int = 0


@json_view("GET", "POST")
async def rooms_view(request: HttpRequest) -> HttpResponseBase:
    user: Any = await request.auser()
    if request.method == "GET":
        return JsonResponse({"rooms": await in_database(rooms.list_rooms, user)})
    rates.take_command(user.pk)
    wanted = decoded(body_of(request), NewRoom)
    room = await in_database(
        rooms.create_room, user=user, character_slug=wanted.character_id, greeting=wanted.greeting,
        language=get_language() or "ko",
    )
    return JsonResponse({"roomId": str(room.pk)}, status=201)


@json_view("GET")
async def room_messages(request: HttpRequest, room_id: UUID) -> HttpResponseBase:
    user: Any = await request.auser()
    before, limit = _number(request, "before"), _number(request, "limit")
    page = await in_database(_load_page, user, room_id, before, limit or history.PAGE_MESSAGES)
    return JsonResponse({**page, "messages": [_with_live_text(view) for view in page["messages"]]})


def _load_page(user: Any, room_id: UUID, before: int | None, limit: int) -> dict[str, Any]:
    return history.load_page(rooms.get_room_for(user, room_id), before, limit)


def _with_live_text(view: dict[str, Any]) -> dict[str, Any]:
    """A message being written here is shown as of now, not as of its last checkpoint."""
    run = get_engine().running.get(UUID(view["messageId"]))
    if run is None or view["status"] != "writing":
        return view
    return {**view, **run.position_view()}


@json_view("GET")
async def message(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    user: Any = await request.auser()
    view = await in_database(history.load_message, user.pk, message_id)
    return JsonResponse({"message": _with_live_text(view)})


@json_view("POST")
async def room_commands(request: HttpRequest, room_id: UUID) -> HttpResponseBase:
    """Stop, select, edit, rewind, for readers without a socket."""
    user: Any = await request.auser()
    rates.take_command(user.pk)
    command = parse_command(body_of(request))
    if not isinstance(command, RoomCommand):
        raise BadCommand("unknown_type", "This address takes stop, select_variant, edit_message and rewind.")
    return JsonResponse({"head": await change_room(get_engine(), user.pk, room_id, command)})


@json_view("POST")
async def messages(request: HttpRequest) -> HttpResponseBase:
    """The completed response: waits for the whole answer, also when its requestId is already known."""
    engine = get_engine()
    turn = await _take_turn(request, engine, "post")
    result = await _ended(engine, turn)
    accepted = turn.accepted
    start = Start(
        request_id=accepted.request_id, room_id=accepted.room_id, message_id=accepted.message_id, seq=0,
        attempt=1, reply_to=accepted.reply_to, position=accepted.position, head=accepted.head,
    )
    said = user_message(accepted) if accepted.user_message_id else None
    body = {"userMessage": said, "start": start, "result": result}
    if isinstance(result, End):
        return _json(body, 200)
    return _json({**error_body(result.code, result.message, retryable=result.retryable), **body}, 502)


@json_view("POST")
async def messages_stream(request: HttpRequest) -> HttpResponseBase:
    engine = get_engine()
    return _event_stream(turn_stream(engine, await _take_turn(request, engine, "sse")))


@json_view("GET")
async def message_stream(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    user: Any = await request.auser()
    # Raises NotFound before the stream begins, so that a stranger gets a 404.
    key = await in_database(load_key, user.pk, message_id)
    position = parse_last_event_id(request.headers.get("Last-Event-ID", ""))
    return _event_stream(answer_stream(get_engine(), user.pk, key, position))


@json_view("POST")
async def timings(request: HttpRequest) -> HttpResponseBase:
    """As JSON; or, by navigator.sendBeacon, as a form with the same JSON in `timing`, and the CSRF token."""
    user: Any = await request.auser()
    rates.take_command(user.pk)
    told = form_field(request, "timing")
    command = parse_command(body_of(request) if told is None else told)
    if not isinstance(command, Timing):
        raise BadCommand("unknown_type", "This address takes timing.")
    await in_database(report_timing, identity_of(user), command, command.room_id)
    return HttpResponse(status=204)


async def _take_turn(request: HttpRequest, engine: Engine, door: Door) -> Turn:
    received_at = time.monotonic()
    user: Any = await request.auser()
    rates.take_command(user.pk)
    room_id, command = _turn_of(body_of(request))
    rates.take_turn(user.pk)
    return await take_turn(engine, identity_of(user), room_id, command, door=door, received_at=received_at)


def _turn_of(body: bytes) -> tuple[UUID, TurnCommand]:
    """A turn command with `roomId` beside its fields; `type` is send_message unless said."""
    fields = decoded(body, dict[str, Any])
    room_id = decoded(msgspec.json.encode(fields.pop("roomId", None)), UUID)
    fields.setdefault("type", "send_message")
    command = parse_command(msgspec.json.encode(fields))
    if not isinstance(command, SendMessage | Regenerate | ContinueMessage):
        raise BadCommand("unknown_type", "This address takes send_message, regenerate and continue_message.")
    return room_id, command


async def _ended(engine: Engine, turn: Turn) -> Terminal:
    """However many owners it has, one after the other."""
    try:
        async with asyncio.timeout(ANSWER_WAIT_SECONDS):
            while isinstance(found := await _found(engine, turn), Run):
                # Shielded: a client that leaves must not take the answer along.
                with found.attendance.seat():
                    terminal = await asyncio.shield(found.ended)
                if terminal is not None:
                    return terminal
    except TimeoutError:
        raise Unavailable("provider_total_timeout", "The answer took too long as a whole.") from None
    if found is None:
        raise NotFound("message_not_found", "The answer was rewound away.")
    return found


async def _found(engine: Engine, turn: Turn) -> Run | Terminal | None:
    return await engine.running.find(turn.accepted.user_id, turn.accepted.message_id)


def _event_stream(parts: Any) -> StreamingHttpResponse:
    response = StreamingHttpResponse(parts, content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    # Proxies that buffer would turn the stream into a completed response.
    response["X-Accel-Buffering"] = "no"
    return response


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name)
    if value is None:
        return None
    if not value.isdecimal() or len(value) > 9:
        raise BadCommand("invalid_fields", f"`{name}` is a whole number.")
    return int(value)


def _json(body: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
