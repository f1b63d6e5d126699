"""One socket in one room: frames become commands, each handed to the one function that does it.

Decides nothing about messages and never awaits a provider: Channels handles one frame at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import timezone

from chat import generations, rates, rooms
from chat.errors import CODES, BadCommand, ChatError, Crashed, NotFound, NotSignedIn, Unavailable
from chat.log_fields import bind_who
from chat.models import Generation
from streaming import closes, metrics
from streaming.commands import (
    AnyCommand,
    ContinueMessage,
    Received,
    Regenerate,
    Resume,
    SendMessage,
    Timing,
    TurnCommand,
    Typing,
    parse_command,
)
from streaming.database import in_database
from streaming.engine import Engine, get_engine
from streaming.events import CommandError, Path, Ready, encode
from streaming.identity import Identity, identity_of, load_user, session_key_of
from streaming.reader import SocketReader, cannot_write
from streaming.resume import resume
from streaming.rollout import assignment
from streaming.service import change_room, take_turn
from streaming.timings import is_at_hand, report_at_hand, report_timing

#: Of a scope's extensions, where the server has it (chatproject.lean_socket): a `reader.Write`.
WRITE = "soksak.write"
#: Another, likewise: has `hear` called first, with a frame before which no other waits.
HEARD_BY = "soksak.heard_by"
Hear: TypeAlias = Callable[[str], bool]
#: How browsers begin them. Any others take the long way, where they come to the same.
_RECEIVED, _REPORT = '{"type":"received"', '{"type":"timing","requestId":"'
#: Longer ago than any answer takes, nothing can have ended just now.
LIVELY = timedelta(minutes=10)
#: So many refused commands, and none obeyed between them, is no browser of ours.
FLOOD_REFUSALS = 100

log = structlog.get_logger(__name__)


def _by_nobody(hear: Hear | None) -> None:
    """Where the server calls no one: every frame is received."""


class RoomConsumer(AsyncWebsocketConsumer):
    engine: Engine
    reader: SocketReader
    room_id: UUID
    user_id: int
    character_id: str
    session_key: str
    identity: Identity
    checked_at: float
    is_staff: bool
    is_load: bool
    path: Path
    heard_by: Callable[[Hear | None], None]
    refused_in_a_row = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """However the socket ends, its seat is given up.

        Tokens never travel through a channel layer, and so only the socket is waited for: Channels' own loop, which
        waits for both, makes a task for each frame and keeps one for each idle socket.
        """
        self.scope, self.base_send = scope, send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own dispatch waits for the process's one database thread before every frame; this does not."""
        match message["type"]:
            case "websocket.receive":
                await self.receive(message.get("text"), message.get("bytes"))
            case "websocket.connect":
                await self.connect()
            case "websocket.disconnect":
                raise StopConsumer

    async def connect(self) -> None:
        self.engine = get_engine()
        self.room_id = self.scope["url_route"]["kwargs"]["room_id"]
        self.session_key = session_key_of(self.scope["headers"])
        # A socket lives long, and nobody asks again what its handshake said.
        self.scope["headers"].clear()
        await self.accept()
        if self.engine.is_draining:
            # Another process will have it; this one's log and lease may be closed already.
            await self.close(closes.TRY_LATER)
            return
        try:
            ready, elsewhere, is_lively = await in_database(self._enter)
        except (NotSignedIn, NotFound) as error:
            await self.close(closes.SESSION_ENDED if isinstance(error, NotSignedIn) else closes.ROOM_NOT_FOUND)
        except Unavailable:
            await self.close(closes.TRY_LATER)
        else:
            await self._take_seat(ready, is_lively=is_lively and not elsewhere)
            for generation in elsewhere:
                await self.engine.running.discover(generation)

    def _enter(self) -> tuple[Ready, list[Generation], bool]:
        """In a database thread: who is it, may they, what does the room look like, what do others write in it.

        The last is whether an answer may have ended in it a moment ago.
        """
        user = load_user(self.session_key)
        self.identity = identity_of(user, self.session_key)
        room = rooms.get_room_for(user, self.room_id)
        self.user_id, self.character_id = user.pk, room.character.slug
        self.is_staff, self.is_load = user.is_staff, user.is_load
        self.path = assignment(user.pk, user.is_staff, is_load=user.is_load).path
        ready = Ready(
            room_id=room.pk, head=room.head, path=self.path,
            heartbeat_seconds=settings.STREAM_HEARTBEAT_SECONDS, window=settings.STREAM_WINDOW_EVENTS,
        )
        is_lively = room.active_at > timezone.now() - LIVELY
        return ready, generations.running_in([room.pk], not_by=self.engine.owner), is_lively

    async def _take_seat(self, ready: Ready, *, is_lively: bool) -> None:
        if self.engine.hub.sockets_of(self.user_id) >= settings.CHAT_SOCKETS_PER_USER:
            await self.close(closes.TOO_MANY_SOCKETS)
            return
        self.checked_at = time.monotonic()
        # Taken out: a socket that its own scope held would be garbage only Python's search finds.
        extensions = self.scope.get("extensions", {})
        write = extensions.pop(WRITE, cannot_write)
        self.heard_by = extensions.pop(HEARD_BY, _by_nobody)
        self.reader = SocketReader(self._send_frame, window=settings.STREAM_WINDOW_EVENTS, write=write)
        self.reader.post(encode(ready))
        self.reader.start()
        self.heard_by(self.hear)
        self.engine.hub.enter(self, ready.head)
        self.engine.neighbours.entered(self.room_id, is_lively=is_lively)
        bind_who({
            "roomId": str(self.room_id), "userId": self.user_id, "characterId": self.character_id, "path": ready.path,
        })
        if not self.engine.running.in_room(self.room_id):
            self.engine.warmer.open(self.room_id)
        metrics.SOCKETS.inc()

    async def _send_frame(self, frame: str) -> None:
        # Straight to the server: the session middleware's wrapper costs a quarter of the path.
        try:
            await self.base_send({"type": "websocket.send", "text": frame})
        except OSError:
            # The socket has gone; its disconnect is on the way and detaches the reader.
            self.reader.stop()

    def hear(self, text: str) -> bool:
        """Obey at once, before a task is woken, what nobody waits for; False: it has to be received."""
        if self.refused_in_a_row > FLOOD_REFUSALS or len(text) > settings.CHAT_FRAME_MAX_BYTES:
            return False
        try:
            if text.startswith(_REPORT):
                return self._has_noted(text)
            return text.startswith(_RECEIVED) and self._has_credited(text)
        except Exception:  # noqa: BLE001 - found again when it is received, and told from there
            return False

    def _has_credited(self, text: str) -> bool:
        command = self._parse(text)
        if isinstance(command, Received):
            self.reader.received(command.message_id, command.seq)
        return isinstance(command, Received)

    def _has_noted(self, text: str) -> bool:
        """Unread, beside its trace: to read many in a row costs a fraction of the same between the tokens of others."""
        request_id, _, _ = text[len(_REPORT) :].partition('"')
        if not is_at_hand(self.identity, request_id):
            return False
        rates.take_command(self.user_id)
        self.refused_in_a_row = 0
        return report_at_hand(self.identity, request_id, partial(self._marks_of, text, request_id))

    def _marks_of(self, text: str, request_id: str) -> Mapping[str, float]:
        """None of a report that cannot be read: it is refused as any command, only later."""
        try:
            command = self._parse(text)
        except ChatError as error:
            self._refuse(error, None)
            return {}
        return command.marks if isinstance(command, Timing) and command.request_id == request_id else {}

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not hasattr(self, "reader") or self.refused_in_a_row > FLOOD_REFUSALS:
            return
        received_at = time.monotonic()
        command: AnyCommand | None = None
        try:
            command = self._parse(text_data)
            await self._obey(command, received_at)
        except ChatError as error:
            self._refuse(error, command)
        except Exception:
            # Told, not raised: a client that resends what closes its socket would never come to rest.
            log.exception(
                "command_crashed", command=type(command).__name__, requestId=getattr(command, "request_id", "")
            )
            self._refuse(Crashed("internal_error", CODES["internal_error"]), command)

    def _parse(self, text: str | None) -> AnyCommand:
        if text is None:
            raise BadCommand("binary_frame", "Frames are text.")
        if len(text) > settings.CHAT_FRAME_MAX_BYTES:
            raise BadCommand("frame_too_large", f"A frame holds {settings.CHAT_FRAME_MAX_BYTES} bytes at most.")
        return parse_command(text)

    async def _obey(self, command: AnyCommand, received_at: float) -> None:
        if isinstance(command, Received):
            return self.reader.received(command.message_id, command.seq)
        rates.take_command(self.user_id)
        match command:
            case SendMessage() | Regenerate() | ContinueMessage():
                await self._turn(command, received_at)
            case Resume():
                await resume(
                    self.engine.running, self.reader, user_id=self.user_id, room_id=self.room_id, known=command.known
                )
            case Timing():
                if not report_at_hand(self.identity, command.request_id, lambda: command.marks):
                    await in_database(report_timing, self.identity, command, self.room_id)
            case Typing():
                self.engine.warmer.typing(self.room_id)
            case _:
                await change_room(self.engine, self.user_id, self.room_id, command)
        self.refused_in_a_row = 0
        return None

    async def _turn(self, command: TurnCommand, received_at: float) -> None:
        rates.take_turn(self.user_id)
        await take_turn(
            self.engine, self.identity, self.room_id, command,
            door="socket", received_at=received_at, reader=self.reader,
        )

    def _refuse(self, error: ChatError, command: AnyCommand | None) -> None:
        metrics.REFUSED.labels(code=error.code).inc()
        fields: dict[str, Any] = {"code": error.code, "message": error.message, "retryable": error.retryable}
        for name in ("request_id", "message_id"):
            value = getattr(command, name, None)
            if value is not None:
                fields[name] = value
        if error.retry_after_ms is not None:
            fields["retry_after_ms"] = error.retry_after_ms
        self.reader.post(encode(CommandError(**fields)))
        self.refused_in_a_row += 1
        if isinstance(error, NotSignedIn):
            self.close_soon(closes.SESSION_ENDED)
        elif self.refused_in_a_row > FLOOD_REFUSALS:
            # daphne would keep every refusal in memory for a client that reads none.
            self.close_soon(closes.FLOOD)

    def recheck(self) -> None:
        """In a database thread: is the session still alive, and the room still theirs?"""
        rooms.get_room_for(load_user(self.session_key), self.room_id)

    def close_soon(self, code: int) -> None:
        """After what is posted has been written."""
        self.reader.close_after(partial(self.close, code))

    def _leave(self) -> None:
        if hasattr(self, "reader"):
            self.heard_by(None)
            self.reader.stop()
            self.engine.hub.leave(self)
            metrics.SOCKETS.dec()
