"""A turn by socket: what is sent is kept until it is accepted, and a dead line is noticed by its silence."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from websockets.exceptions import ConnectionClosed

from streaming.answer import Message
from streaming.events import Ack, CommandError, Event, Ready
from tests.faults.clients import RETRY_SECONDS, SILENCE_SECONDS, Diary, Refusal
from tests.faults.reader import RoomReader
from tests.faults.visitor import Visitor

#: Every receipt is a frame.
RECEIPT_EVENTS = 8
#: Refusals that the next try may not meet (PROTOCOL.md, "again?", and a process that goes).
PASSING = {
    "draining", "database_unavailable", "internal_error", "rate_limited", "too_many_generations", "generation_running",
}


class Tab(RoomReader):
    """With `turn` None it only looks on."""

    def __init__(self, visitor: Visitor, room_id: UUID, ws_url: str, turn: dict[str, Any] | None = None) -> None:
        super().__init__(visitor, room_id, ws_url, silence_seconds=SILENCE_SECONDS)
        self.turn = turn or {}
        self.diary = Diary()
        self.refused = ""
        self._is_sent = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def come(self) -> None:
        await self.start()

    def send(self) -> None:
        self._is_sent = True
        self._send_soon(0.0)

    async def over(self) -> Message:
        await self.until(lambda: self.refused or self._is_told(), "the answer's end")
        if self.refused:
            raise Refusal(self.refused)
        assert self.answer is not None
        return self.answer

    async def leave(self) -> None:
        await self.stop()

    def state(self) -> str:
        shown = [(message.role, message.status, message.seq, message.attempt) for message in self.transcript.messages]
        heard = [type(event).__name__ for event in self.news[-8:]]
        return f"{self.diary.refusals=}, {self.closes=}, {shown=}, {heard=}"

    def _is_told(self) -> bool:
        answer = self.answer
        return answer is not None and answer.is_over and answer.request_id == self.turn.get("requestId")

    def _send_soon(self, seconds: float) -> None:
        task = asyncio.create_task(self._send(seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        # A socket that has gone is followed by another one, whose `ready` sends it again.
        with suppress(OSError, EOFError, ConnectionClosed):
            await self.command(type="send_message", requestId=self.turn["requestId"], text=self.turn["text"])

    async def _heed(self, event: Event) -> None:
        self.diary.hear(event)
        await super()._heed(event)
        self.diary.changes = self.changes
        is_owed = self._is_sent and not self.diary.accepted_at
        if is_owed and isinstance(event, Ready):
            self._send_soon(0.0)
        elif is_owed and getattr(event, "request_id", None) == self.turn["requestId"]:
            self._answered(event)

    def _answered(self, event: Event) -> None:
        if isinstance(event, Ack):
            self.diary.accepted_at = asyncio.get_running_loop().time()
        elif isinstance(event, CommandError) and event.code in PASSING:
            self.diary.refusals.append(event.code)
            self._send_soon(RETRY_SECONDS)
        elif isinstance(event, CommandError):
            self.refused = event.code
            self._moved.set()

    async def _resume(self) -> None:
        self.diary.attach()
        await super()._resume()

    async def _acknowledge(self, event: Event) -> None:
        seq = getattr(event, "seq", None)
        if isinstance(seq, int) and seq % RECEIPT_EVENTS == 0:
            await super()._acknowledge(event)
