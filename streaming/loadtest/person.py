"""Somebody who talks: opens a room, thinks, types, sends, reads to the end, and thinks again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import Any, Protocol
from uuid import UUID

from streaming.answer import Change, Message
from streaming.events import Event
from streaming.loadtest.ladder import Ladder
from streaming.loadtest.plan import Plan
from streaming.loadtest.sends import Send
from streaming.loadtest.site import UNREACHABLE, SiteRefused, Visitor
from streaming.loadtest.tab import ClosedForGood, Tab

LINES = (
    "안녕, 오늘은 어떻게 지냈어?", "Tell me about this place.", "그게 무슨 뜻이야?", "*looks around* It is quiet here.",
    "조금 더 이야기해 줘.", "What would you do in my place?", "비가 오네… 🌧 창가에 앉을까?", "And then?", "Go on.",
    "I have been thinking about what you said before, and I am not sure that I believe it.", "*웃는다* 정말?",
)
RETRY_SECONDS = 1.0
LOOK_SECONDS = 0.05


class Company(Protocol):
    """Who watches over everybody."""

    stopping: asyncio.Event

    def may_send(self) -> bool:
        """Takes one of the messages there are."""

    def began(self, send: Send) -> None: ...

    def ended(self, send: Send) -> None: ...

    def opened(self, room_id: UUID) -> None: ...

    def complain(self, what: str) -> None: ...


class Person:
    def __init__(self, visitor: Visitor, plan: Plan, company: Company, character: str, number: int) -> None:
        self.tab: Tab | None = None
        self._visitor = visitor
        self._plan = plan
        self._company = company
        self._character = character
        self._chance = Random(f"{plan.seed}:{number}")
        self._send: Send | None = None

    async def live(self, after_seconds: float) -> None:
        """Until the company stops; what is being answered then is read to its end."""
        if await self._pause(after_seconds) or (room_id := await self._room()) is None:
            return
        if self._plan.way == "socket":
            self.tab = Tab(self._visitor, room_id, self._hear, self._find)
        staying = asyncio.create_task(self.tab.stay()) if self.tab else None
        talking = asyncio.create_task(self._talk(Ladder(self._visitor, room_id, self.tab), room_id))
        tasks: list[asyncio.Task[None]] = [talking, *([staying] if staying else [])]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        self._report(outcomes)

    # Internal

    async def _room(self) -> UUID | None:
        """Tried again, as a person reloads a page."""
        while not self._company.stopping.is_set():
            try:
                room_id = await self._visitor.open_room(self._character)
            except SiteRefused as refused:
                self._company.complain(f"a room was refused: {refused.code}")
                await self._pause(refused.retry_after_seconds)
            except UNREACHABLE as error:
                self._company.complain(f"a room could not be opened: {type(error).__name__}")
                await self._pause(RETRY_SECONDS)
            else:
                self._company.opened(room_id)
                return room_id
        return None

    async def _talk(self, ladder: Ladder, room_id: UUID) -> None:
        while self.tab is not None and not self.tab.ready.is_set():
            if await self._pause(LOOK_SECONDS):
                return
        # Nobody begins at the same moment as the others.
        seconds = self._think() * self._chance.random()
        while not await self._pause_and_type(seconds) and self._company.may_send():
            send = self._send = Send(self._chance.choice(LINES))
            self._company.began(send)
            await ladder.carry(send, self._plan.way)
            self._company.ended(send)
            await self._tell(send, room_id)
            is_held_up = send.outcome == "refused" or send.code == "overloaded"
            seconds = max(self._think(), send.retry_after_seconds if is_held_up else 0.0)

    def _think(self) -> float:
        return self._plan.think.draw(self._chance)

    async def _pause_and_type(self, seconds: float) -> bool:
        """True: it is over. Half of the time is for reading, the other half for typing, which warms the room."""
        if await self._pause(seconds / 2):
            return True
        if seconds and self.tab is not None:
            await self.tab.command({"type": "typing"})
        return await self._pause(seconds / 2)

    async def _pause(self, seconds: float) -> bool:
        """True: the company stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._company.stopping.wait()
        return self._company.stopping.is_set()

    async def _tell(self, send: Send, room_id: UUID) -> None:
        """The marks, as a browser reports them; a report that is lost is lost."""
        report: dict[str, Any] = {
            "type": "timing", "requestId": send.request_id, "roomId": str(room_id), "marks": send.marks,
        }
        if self.tab is not None and self.tab.ready.is_set():
            await self.tab.command(report)
            return
        with suppress(SiteRefused, *UNREACHABLE):
            await self._visitor.post("/chat/timings", report)

    def _hear(self, event: Event, changes: list[Change]) -> None:
        if self._send is not None:
            self._send.hear(event, changes)

    def _find(self, message: Message) -> None:
        if self._send is not None and message.request_id == self._send.request_id:
            self._send.found(message)

    def _report(self, outcomes: list[Any]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, ClosedForGood):
                self._company.complain(str(outcome))
            elif isinstance(outcome, Exception):
                raise outcome


