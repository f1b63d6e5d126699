"""Everybody together: lets them in, spreads their coming, stops them, waits for what is being answered."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from streaming.loadtest.findings import Findings
from streaming.loadtest.model_server import ModelServer
from streaming.loadtest.person import Person
from streaming.loadtest.plan import NoLoadTest, Plan
from streaming.loadtest.sends import Send
from streaming.loadtest.site import UNREACHABLE, Site, SiteRefused, Visitor, reason_of

ENTERING_AT_ONCE = 8
#: How often it is looked whether this machine keeps up.
LAG_SECONDS = 0.05
LAST_MARKS_SECONDS = 2.0


class Crowd:
    """`run` once. `stop` lets nobody send any more; `findings` is complete when `run` has returned."""

    def __init__(self, plan: Plan, model: ModelServer | None = None) -> None:
        self.findings = Findings()
        self.running: set[Send] = set()
        self.stopping = asyncio.Event()
        self._plan = plan
        self._model = model
        self._sent = 0
        self._began_at = 0.0
        self._refusal = ""

    async def run(self) -> None:
        """Raises NoLoadTest."""
        async with Site(self._plan.url) as site:
            characters = await site.characters()
            character = self._plan.character or characters[0]
            if character not in characters:
                raise NoLoadTest(f"There is no character {character!r} there; there are: {', '.join(characters)}.")
            people = [
                Person(visitor, self._plan, self, character, number)
                for number, visitor in enumerate(await self._let_in(site))
            ]
            await self._live(people)
        if self._refusal:
            raise NoLoadTest(self._refusal)

    def stop(self) -> None:
        self.stopping.set()

    @property
    def share_done(self) -> float:
        """From 0 to 1."""
        plan = self._plan
        if plan.messages is not None:
            return min(1.0, len(self.findings.sends) / plan.messages)
        seconds = asyncio.get_running_loop().time() - self._began_at if self._began_at else 0.0
        return min(1.0, seconds / (plan.seconds or 1.0))

    # What a person tells

    def may_send(self) -> bool:
        if self.stopping.is_set():
            return False
        self._sent += 1
        if self._sent == self._plan.messages:
            self.stop()
        return True

    def began(self, send: Send) -> None:
        self.running.add(send)

    def ended(self, send: Send) -> None:
        self.running.discard(send)
        self.findings.sends.append(send)
        if self._model is not None and not self._model.asked and _asked_a_model(send):
            self._refusal = (
                "The deployment does not ask the simulated model: start it with "
                f"{self._model.environment}, or leave the tail away."
            )
            self.stop()

    def opened(self, room_id: UUID) -> None:
        self.findings.rooms.append(room_id)

    def complain(self, what: str) -> None:
        self.findings.troubles[what] += 1

    # Internal

    async def _let_in(self, site: Site) -> list[Visitor]:
        """A few at a time; who is not let in is no load."""
        gate, visitors = asyncio.Semaphore(ENTERING_AT_ONCE), [site.visitor() for _ in range(self._plan.users)]
        tasks = [asyncio.create_task(self._enter(visitor, gate)) for visitor in visitors]
        try:
            entered = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [visitor for visitor, is_in in zip(visitors, entered, strict=True) if is_in]

    async def _enter(self, visitor: Visitor, gate: asyncio.Semaphore) -> bool:
        async with gate:
            if self.stopping.is_set():
                return False
            try:
                await visitor.enter()
            except SiteRefused as refused:
                raise NoLoadTest(self._not_let_in(refused)) from None
            except UNREACHABLE as error:
                raise NoLoadTest(f"A guest could not come in at {self._plan.url}: {reason_of(error)}.") from None
            self.findings.guests += 1
            return True

    def _not_let_in(self, refused: SiteRefused) -> str:
        if refused.code == "rate_limited":
            return (
                f"The site lets no more guests in from this address ({self.findings.guests} of {self._plan.users} "
                f"came in; again in {refused.retry_after_seconds:.0f} s): raise CHAT_GUESTS_PER_HOUR there."
            )
        return f"The site lets no guest in: {refused.code}, {refused}"

    async def _live(self, people: list[Person]) -> None:
        loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        lag = asyncio.create_task(self._watch_lag())
        step = self._plan.ramp_seconds / max(1, len(people))
        tasks = {asyncio.create_task(person.live(number * step)) for number, person in enumerate(people)}
        try:
            await self._until_stopped(tasks)
            self.findings.seconds = loop.time() - self._began_at
            if tasks:
                await asyncio.wait(tasks, timeout=self._plan.drain_seconds)
            self.findings.unfinished = len(self.running)
        finally:
            for task in (lag, *tasks):
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self.findings.sockets(person.tab for person in people)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _until_stopped(self, tasks: set[asyncio.Task[None]]) -> None:
        stopped: asyncio.Future[Any] = asyncio.create_task(self.stopping.wait())
        everybody: asyncio.Future[Any] = asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait([stopped, everybody], timeout=self._plan.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            stopped.cancel()

    async def _watch_lag(self) -> None:
        """How late this program's own loop is: what it adds to every figure."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_SECONDS)
            self.findings.lags_ms.append(max(0.0, loop.time() - before - LAG_SECONDS) * 1000)


def _asked_a_model(send: Send) -> bool:
    return send.outcome in ("done", "interrupted") or send.code.startswith("provider_")
