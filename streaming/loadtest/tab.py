"""One person's socket to their room, kept as a browser keeps it: resume, receipts, drain, silence, coming back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from streaming.events import Chunk, Drain, Event, Path, Ready, decode
from streaming.loadtest.receipts import Receipts
from streaming.loadtest.site import OPEN_SECONDS, UNREACHABLE, SiteRefused, Visitor
from streaming.transcript import Change, Message, Transcript

#: frontend_static/js/connection.js, backoff.js.
SILENCE_GRACE_SECONDS = 10.0
LEAST_DELAY_SECONDS, MOST_DELAY_SECONDS = 0.5, 20.0
STABLE_SECONDS = 10.0
#: A handshake that is answered so is answered so again.
FOR_GOOD_STATUS = (403, 404)

Hear = Callable[[Event, list[Change]], None]


class ClosedForGood(Exception):
    """The site does not want this person back."""


class Tab:
    """`stay` keeps it open until it is cancelled; `closes` says how sockets ended, `resumed` counts returns."""

    def __init__(self, visitor: Visitor, room_id: UUID, hear: Hear, found: Callable[[Message], None]) -> None:
        self.path: Path = "stream"
        self.ready = asyncio.Event()
        self.closes: Counter[int] = Counter()
        self.resumed = 0
        self.transcript = Transcript()
        self._visitor = visitor
        self._room_id = room_id
        self._hear = hear
        self._found = found
        self._owed: dict[str, Any] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._silence_seconds = OPEN_SECONDS
        self._receipts = Receipts(96, self._say_soon)
        self._drain_until = 0.0
        self._was_ready = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._chance = Random(room_id.int)

    async def stay(self) -> None:
        """Raises ClosedForGood."""
        loop, attempt = asyncio.get_running_loop(), 0
        try:
            await self._refresh()
            while True:
                came_at = loop.time()
                code = await self._sit()
                self.closes[code] += self._was_ready
                if code >= 3000 and code % 1000 >= 500:
                    raise ClosedForGood(f"the socket was closed for good ({code})")
                attempt = 1 if loop.time() - came_at >= STABLE_SECONDS else attempt + 1
                await asyncio.sleep(max(self._drain_until - loop.time(), self._delay(attempt)))
        finally:
            for task in self._tasks:
                task.cancel()

    async def send_turn(self, command: dict[str, Any]) -> None:
        """Kept until it is let go, and sent again on every socket meanwhile."""
        self._owed = command
        await self.command(command)

    def let_go(self) -> None:
        self._owed = None

    async def command(self, command: dict[str, Any]) -> None:
        """What cannot be sent is not: there is another socket soon."""
        if self._socket is None or not self.ready.is_set():
            return
        try:
            await self._socket.send_str(json.dumps(command))
        except UNREACHABLE:
            # Its reader notices as well.
            return

    # The connection

    async def _sit(self) -> int:
        """One socket, from its handshake to its end; returns its close code."""
        try:
            async with self._visitor.socket(self._room_id) as socket:
                self._socket, self._silence_seconds = socket, OPEN_SECONDS
                while True:
                    message = await socket.receive(timeout=self._silence_seconds)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        return socket.close_code or 1006
                    await self._heed(decode(message.data))
        except aiohttp.WSServerHandshakeError as error:
            if error.status in FOR_GOOD_STATUS:
                raise ClosedForGood(f"sockets are refused ({error.status}): is it called by its own name?") from None
            return 1006
        except UNREACHABLE:
            return 1006
        finally:
            self._was_ready = self.ready.is_set()
            self.ready.clear()
            self._socket = None

    def _delay(self, attempt: int) -> float:
        if attempt <= 1:
            return 0.0
        ceiling = min(MOST_DELAY_SECONDS, LEAST_DELAY_SECONDS * 2 ** (attempt - 1))
        return self._chance.uniform(LEAST_DELAY_SECONDS, ceiling)

    async def _heed(self, event: Event) -> None:
        changes = self.transcript.apply(event)
        self._hear(event, changes)
        match event:
            case Ready():
                await self._become_ready(event)
            case Drain(retry_after_ms=wait_ms):
                self._soon(self._leave(self._chance.uniform(0, wait_ms / 1000)))
        await self._mend(changes)
        seq, message_id = getattr(event, "seq", None), getattr(event, "message_id", None)
        if isinstance(seq, int) and isinstance(message_id, UUID):
            first = event.from_seq if isinstance(event, Chunk) and isinstance(event.from_seq, int) else seq
            self._receipts.note(message_id, seq, seq - first + 1)

    async def _become_ready(self, ready: Ready) -> None:
        self.resumed += bool(self.closes) and bool(self.transcript.known())
        self.path = ready.path
        self._receipts = Receipts(ready.window, self._say_soon)
        self._silence_seconds = ready.heartbeat_seconds + SILENCE_GRACE_SECONDS
        self.ready.set()
        await self._resume()
        if self._owed is not None:
            await self.command(self._owed)

    async def _leave(self, seconds: float) -> None:
        """The process will stop; everybody goes at a time of their own."""
        self._drain_until = asyncio.get_running_loop().time() + seconds
        await asyncio.sleep(seconds)
        if self._socket is not None:
            await self._socket.close()

    # The text

    async def _mend(self, changes: list[Change]) -> None:
        kinds = {change.kind for change in changes}
        if "gap" in kinds:
            await self._resume({change.message_id for change in changes if change.is_lost})
        if "stale" in kinds:
            self._soon(self._refresh())

    async def _resume(self, lost: set[UUID | None] | None = None) -> None:
        known = [one for one in self.transcript.known() if one.message_id not in (lost or ())]
        await self.command({"type": "resume", "known": msgspec.to_builtins(known)})

    async def _refresh(self) -> None:
        """The page as it is now; while an answer is written it is only looked at for ends that were missed."""
        try:
            page = await self._visitor.page(self._room_id)
        except (*UNREACHABLE, SiteRefused):
            return
        seen = Transcript(page)
        if not self.transcript.known():
            self.transcript = seen
        for message in seen.messages:
            if message.role == "character" and message.is_over:
                self._found(message)

    def _say_soon(self, command: dict[str, Any]) -> None:
        self._soon(self.command(command))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
