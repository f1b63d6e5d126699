"""A provider's queue, for tests: requests that come when a test says so, and end when it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from streaming.providers.admission import Admission
from streaming.providers.base import ProviderError, Route
from tests.streaming.chaining import route

ONE = replace(route("one"), max_concurrent=1)
OTHER = replace(route("other"), max_concurrent=1)
ALICE, BOB, CHARLIE = 1, 2, 3


@dataclass
class Desk:
    """Requests that are made when their turn comes, and end when a test says so."""

    admission: Admission
    served: list[str] = field(default_factory=list)
    #: Each one's route.
    at: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    places: dict[str, list[int | None]] = field(default_factory=dict)
    _ends: dict[str, asyncio.Event] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def come(self, name: str, user_id: int, *routes: Route) -> None:
        self._ends[name], self.places[name] = asyncio.Event(), []
        self._tasks[name] = asyncio.create_task(self._ask(name, user_id, *routes or [ONE]))
        await settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def leave(self, name: str) -> None:
        self._tasks[name].cancel()
        await settle()

    async def end_all(self) -> None:
        for name in self._ends:
            await self.end(name)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _ask(self, name: str, user_id: int, route: Route, *others: Route) -> None:
        try:
            at = await self.admission.enter(route, user_id, self.places[name].append, lambda: others)
        except ProviderError as error:
            self.refused.append(name if error.code == "provider_busy" and error.retryable else str(error))
            return
        try:
            self.served.append(name)
            self.at[name] = at.name
            await self._ends[name].wait()
        finally:
            self.admission.leave(at)


async def settle() -> None:
    """Everything that can happen at once has happened."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def desk(**bounds: Any) -> AsyncIterator[Desk]:
    now = Desk(Admission(**{"queue_most": 10, **bounds}))
    yield now
    await now.end_all()
    assert set(now.admission._under_way.values()) <= {0}, "a place was lost"
    assert not now.admission._queue
