"""A client of the contract over a real socket: the reference reader, and what keeps it in the room.

Comes back whenever it may, resumes from where it is, fetches the page when it is told that it has missed something.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from streaming.events import Event, Ready, decode
from streaming.transcript import Change, Message, Transcript
from tests.faults.visitor import Visitor, request_id

WAIT_SECONDS = 60.0
RETRY_SECONDS = 0.1
#: A close code's last three digits from here on mean: don't come back.
FOR_GOOD = 500


class RoomReader:
    """One tab. `news` is everything it heard, `transcript` what it has made of it, `closes` how sockets ended."""

    def __init__(
        self, visitor: Visitor, room_id: UUID, ws_url: str, *, acknowledges: bool = True,
        silence_seconds: float | None = None,
    ) -> None:
        """`silence_seconds`: a line that brings nothing for so long, not even a heartbeat, is dead."""
        self.room_id = room_id
        self.visitor = visitor
        self.news: list[Event] = []
        self.changes: list[Change] = []
        self.closes: list[int] = []
        self.transcript = Transcript()
        #: False: never says `received`, so its credit runs out.
        self.acknowledges = acknowledges
        self.ws_url = ws_url
        self._silence_seconds = silence_seconds
        self._socket: ClientConnection | None = None
        self._is_ready = False
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        self.transcript = Transcript(await self.visitor.page(self.room_id))
        self._task = asyncio.create_task(self._stay())
        await self.until(lambda: self._is_ready, "the socket to be ready")
        return self

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # What a test asks

    async def say(self, text: str) -> str:
        """Sends a message; returns its requestId."""
        name = request_id()
        await self.command(type="send_message", requestId=name, text=text)
        return name

    async def command(self, **fields: Any) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(fields))

    @property
    def answer(self) -> Message | None:
        """The last character's message that is somebody's answer."""
        answers = [message for message in self.transcript.messages if message.reply_to is not None]
        return answers[-1] if answers else None

    @property
    def text(self) -> str:
        return self.answer.text if self.answer else ""

    def heard(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.news if isinstance(event, kind)]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Returns once `condition()` holds, looking after every event."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not condition():
                    await self._moved.wait()
                    self._moved.clear()
        except TimeoutError:
            raise AssertionError(f"Waited for {what}; heard {self.news[-5:]}, closed {self.closes}") from None

    async def until_seen(self, length: int) -> None:
        await self.until(lambda: len(self.text) >= length, f"{length} characters of the answer")

    async def until_over(self) -> Message:
        await self.until(lambda: self.answer is not None and self.answer.is_over, "the answer's end")
        assert self.answer is not None
        return self.answer

    # The connection

    async def _stay(self) -> None:
        while True:
            try:
                await self._sit()
            except (OSError, EOFError, InvalidHandshake, ConnectionClosed, httpx.HTTPError):
                await asyncio.sleep(RETRY_SECONDS)
            if self.closes and self.closes[-1] % 1000 >= FOR_GOOD:
                return

    async def _sit(self) -> None:
        """One socket, from its handshake to its end."""
        headers = {"Cookie": self.visitor.cookie}
        origin: Any = self.ws_url.replace("ws://", "http://")
        url = f"{self.ws_url}/ws/rooms/{self.room_id}/"
        async with connect(
            url, additional_headers=headers, origin=origin, compression=None, proxy=None,
            open_timeout=self._silence_seconds or WAIT_SECONDS,
        ) as socket:
            self._socket = socket
            try:
                while True:
                    async with asyncio.timeout(self._silence_seconds):
                        frame = await socket.recv()
                    await self._heed(decode(frame))
            except TimeoutError:
                # Without a goodbye, which a dead line would not answer.
                socket.transport.abort()
                raise
            finally:
                self._is_ready = False
                self.closes.append(socket.close_code or 1006)
                self._moved.set()

    async def _heed(self, event: Event) -> None:
        self.news.append(event)
        changes = self.transcript.apply(event)
        self.changes += changes
        if isinstance(event, Ready):
            await self._resume()
            self._is_ready = True
        await self._mend({change.kind for change in changes})
        await self._acknowledge(event)
        self._moved.set()

    async def _mend(self, kinds: set[str]) -> None:
        if "stale" in kinds:
            self.transcript = Transcript(await self.visitor.page(self.room_id))
        if kinds & {"stale", "gap"}:
            await self._resume()

    async def _resume(self) -> None:
        known = msgspec.to_builtins(self.transcript.known())
        await self.command(type="resume", known=known)

    async def _acknowledge(self, event: Event) -> None:
        seq, message_id = getattr(event, "seq", None), getattr(event, "message_id", None)
        if self.acknowledges and isinstance(seq, int):
            await self.command(type="received", messageId=str(message_id), seq=seq)


@asynccontextmanager
async def reading(
    visitor: Visitor, room_id: UUID, ws_url: str, *, acknowledges: bool = True
) -> AsyncIterator[RoomReader]:
    reader = RoomReader(visitor, room_id, ws_url, acknowledges=acknowledges)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()
