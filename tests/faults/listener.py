"""A turn by server-sent events: sent until it is accepted, then read on from where it broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx

from streaming.answer import NOT_STARTED, Message
from streaming.events import Ack, End, Event, Failure, decode
from streaming.transcript import Transcript
from tests.faults.clients import RETRY_SECONDS, SILENCE_SECONDS, Diary, refusal_of
from tests.faults.visitor import Visitor


class Listener:
    def __init__(self, visitor: Visitor, turn: dict[str, Any]) -> None:
        self.turn = turn
        self.diary = Diary()
        self._visitor = visitor
        self._transcript = Transcript()
        self._message_id: UUID | None = None
        #: An end without a beginning: a turn that is told again when it is over.
        self._over: Message | None = None
        self._is_lost = False
        self._task: asyncio.Task[Message] | None = None

    async def come(self) -> None:
        """Nothing stands between two streams."""

    def send(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def over(self) -> Message:
        assert self._task is not None
        return await asyncio.shield(self._task)

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def state(self) -> str:
        answer = self._answer
        return f"{self.diary.refusals=}, {self._message_id=}, {answer and (answer.status, answer.seq, answer.attempt)}"

    async def _listen(self) -> Message:
        while True:
            # A stream that breaks off is read on from where it did.
            with suppress(httpx.TransportError):
                await self._listen_once()
            if (answer := self._answer) is not None and answer.is_over:
                return answer
            await asyncio.sleep(RETRY_SECONDS)

    @property
    def _answer(self) -> Message | None:
        return self._over or (self._transcript.find(self._message_id) if self._message_id else None)

    async def _listen_once(self) -> None:
        self.diary.attach()
        if self._message_id is None:
            request = self._visitor.open_turn(self.turn, seconds=SILENCE_SECONDS)
        else:
            request = self._visitor.open_answer(self._message_id, self._position(), seconds=SILENCE_SECONDS)
        async with request as response:
            if response.status_code != httpx.codes.OK:
                await response.aread()
                self.diary.refusals.append(refusal_of(response))
                return
            async for event in _events(response):
                if not self._heed(event):
                    return

    def _position(self) -> str | None:
        """None: what is here leads nowhere; the whole text is asked for."""
        answer, is_lost, self._is_lost = self._answer, self._is_lost, False
        return None if answer is None or is_lost or answer.seq == NOT_STARTED else f"{answer.seq}-{answer.attempt}"

    def _heed(self, event: Event) -> bool:
        """False: something is missing, ask again."""
        self.diary.hear(event)
        if isinstance(event, Ack):
            self._message_id = event.message_id
            self.diary.accepted_at = self.diary.accepted_at or asyncio.get_running_loop().time()
        if isinstance(event, End | Failure) and self._answer is None:
            self._over = Message(UUID(str(event.message_id)), "character", 0)
            self.diary.changes += self._over.apply(event)
            return True
        changes = self._transcript.apply(event)
        self.diary.changes += changes
        self._is_lost = any(change.is_lost for change in changes)
        return not any(change.kind == "gap" for change in changes)


async def _events(response: httpx.Response) -> AsyncIterator[Event]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield decode(line[6:])
