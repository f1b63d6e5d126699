"""Who may ask a provider now, who waits, and who is refused: a process's bound on requests, and each route's own.

Waiting is fair: users take turns, each user's requests keep their order. Must not know the run, sockets or the chain.
"""

from __future__ import annotations

import asyncio
import time
from bisect import insort
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from streaming.providers.base import Piece, ProviderError, Route

#: Told how many are ahead of a request that waits.
OnAhead = Callable[[int], None]


def unconcerned(ahead: int) -> None:
    """An OnAhead for those who show no queue."""


#: Between two words about the same place in the queue.
QUIET_SECONDS = 0.5
#: What somebody who was refused is asked to wait.
RETRY_SECONDS = 5.0

WAITING = Gauge("soksak_admission_waiting", "Requests to providers that wait their turn.")
ADMITTED = Gauge("soksak_admission_admitted", "Requests to providers that are under way.", ["route"])
REFUSED = Counter("soksak_admission_refused_total", "Requests that found the queue full, or waited too long.", ["why"])


@dataclass(slots=True, order=True)
class _Waiter:
    """Sorted by `turn`, then by arrival."""

    turn: int
    number: int
    route: Route = field(compare=False)
    on_ahead: OnAhead = field(compare=False)
    admitted: asyncio.Future[None] = field(compare=False)
    told: int | None = field(default=None, compare=False)
    told_at: float = field(default=0.0, compare=False)


class Admission:
    """`calls_most` 0: no bound for the process; a route's own is `Route.max_concurrent`. Used on one event loop."""

    def __init__(
        self, *, calls_most: int = 0, queue_most: int = 100, wait_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls_most = calls_most
        self._queue_most = queue_most
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._under_way: dict[str, int] = {}
        self._queue: list[_Waiter] = []
        self._number = 0
        #: The turn that is being served, and each waiting user's last one.
        self._turn = 0
        self._turns: dict[int, int] = {}

    @property
    def is_full(self) -> bool:
        """Whoever asks now and cannot be served at once will be refused."""
        return len(self._queue) >= self._queue_most and self._queue_most > 0

    def bounds(self, route: Route) -> bool:
        return bool(self._calls_most or route.max_concurrent)

    async def enter(self, route: Route, user_id: int, on_ahead: OnAhead) -> None:
        """Returns when the request may be made; `leave` must follow. Raises ProviderError `provider_busy`."""
        if self._has_room(route):
            return self._take(route)
        if len(self._queue) >= self._queue_most:
            raise _refusal("full", "Too many wait for this model.")
        waiter = self._join(route, user_id, on_ahead)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiter.admitted
        except TimeoutError:
            if waiter.admitted.done() and not waiter.admitted.cancelled():
                return None  # its turn came in that very moment
            raise _refusal("late", "The model was busy for too long.") from None
        except asyncio.CancelledError:
            if waiter.admitted.done() and not waiter.admitted.cancelled():
                self.leave(route)
            raise
        finally:
            self._forget(waiter)
        return None

    def leave(self, route: Route) -> None:
        """The request is over: whoever is next goes on at once."""
        self._under_way[route.name] -= 1
        ADMITTED.labels(route.name).set(self._under_way[route.name])
        for waiter in tuple(self._queue):
            if not waiter.admitted.done() and self._has_room(waiter.route):
                self._take(waiter.route)
                self._turn = max(self._turn, waiter.turn)
                waiter.admitted.set_result(None)
                self._queue.remove(waiter)
        self._tell()

    # Internal

    def _has_room(self, route: Route) -> bool:
        own = self._under_way.get(route.name, 0)
        if route.max_concurrent and own >= route.max_concurrent:
            return False
        return not self._calls_most or sum(self._under_way.values()) < self._calls_most

    def _take(self, route: Route) -> None:
        self._under_way[route.name] = self._under_way.get(route.name, 0) + 1
        ADMITTED.labels(route.name).set(self._under_way[route.name])

    def _join(self, route: Route, user_id: int, on_ahead: OnAhead) -> _Waiter:
        turn = max(self._turn, self._turns.get(user_id, -1) + 1)
        self._turns[user_id] = turn
        self._number += 1
        waiter = _Waiter(turn, self._number, route, on_ahead, asyncio.get_running_loop().create_future())
        insort(self._queue, waiter)
        self._tell()
        return waiter

    def _forget(self, waiter: _Waiter) -> None:
        if waiter in self._queue:
            self._queue.remove(waiter)
            self._tell()
        if not self._queue:
            self._turns.clear()
            self._turn = 0

    def _tell(self) -> None:
        WAITING.set(len(self._queue))
        now, ahead = self._clock(), dict[str, int]()
        for place, waiter in enumerate(self._queue):
            # With a bound of the process everybody is in everybody's way.
            before = place if self._calls_most else ahead.get(waiter.route.name, 0)
            ahead[waiter.route.name] = ahead.get(waiter.route.name, 0) + 1
            if waiter.told is None or (waiter.told != before and now - waiter.told_at >= QUIET_SECONDS):
                waiter.told, waiter.told_at = before, now
                waiter.on_ahead(before)


async def admitted(
    pieces: AsyncGenerator[Piece], admission: Admission, route: Route, user_id: int, on_ahead: OnAhead
) -> AsyncGenerator[Piece]:
    """The same pieces, begun when it is their turn; the place is held until they are closed."""
    await admission.enter(route, user_id, on_ahead)
    try:
        async with aclosing(pieces) as asked:
            async for piece in asked:
                yield piece
    finally:
        admission.leave(route)


def _refusal(why: str, message: str) -> ProviderError:
    REFUSED.labels(why).inc()
    return ProviderError("provider_busy", message, retryable=True, retry_after_seconds=RETRY_SECONDS)
