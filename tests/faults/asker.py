"""A turn by completed response: asked again with the same requestId until it is answered."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import msgspec

from streaming.answer import Change, Message
from streaming.events import End, Event, Failure, checksum, decode
from tests.faults.clients import POST_SECONDS, RETRY_SECONDS, Diary, refusal_of
from tests.faults.visitor import Visitor


class Asker:
    def __init__(self, visitor: Visitor, turn: dict[str, Any]) -> None:
        self.turn = turn
        self.diary = Diary()
        self._visitor = visitor
        self._task: asyncio.Task[Message] | None = None

    async def come(self) -> None:
        """Nothing stands between two requests."""

    def send(self) -> None:
        self._task = asyncio.create_task(self._ask())

    async def over(self) -> Message:
        assert self._task is not None
        return await asyncio.shield(self._task)

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def state(self) -> str:
        return f"{self.diary.refusals=}, {self._task=}"

    async def _ask(self) -> Message:
        while True:
            try:
                response = await self._visitor.complete(self.turn, seconds=POST_SECONDS)
            except httpx.TransportError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            body = response.json() if "json" in response.headers.get("content-type", "") else {}
            if "result" in body:
                return self._told(decode(msgspec.json.encode(body["result"])))
            self.diary.refusals.append(refusal_of(response))
            await asyncio.sleep(RETRY_SECONDS)

    def _told(self, event: Event) -> Message:
        self.diary.hear(event)
        assert isinstance(event, End | Failure)
        message = Message(UUID(str(event.message_id)), "character", 0, attempt=1)
        if isinstance(event, End) and (len(event.content), checksum(event.content)) != (event.length, event.checksum):
            self.diary.changes.append(Change("mismatch", event.message_id))
        if isinstance(event, End):
            message.text, message.status = event.content, "complete" if event.finish_reason == "stop" else "interrupted"
        else:
            message.status, message.error_code = "failed", event.code
        return message
