"""Who may ask a provider now, who waits, and who is refused: a process's bound on requests, and each route's own.

Waiting is fair: users take turns, each user's requests keep their order. Must not know the run, sockets or the chain.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter as Tally
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from chat.labelled import labelled
from streaming.providers.base import Piece, ProviderError, Route

#: Told how many are ahead of a request that waits; None: it waits no more.
OnAhead = Callable[[int | None], None]


def unconcerned(ahead: int | None) -> None:
    """An OnAhead for those who show no queue."""


#: Between two words about the same place in the queue.
QUIET_SECONDS = 1.0
#: What somebody who was refused is asked to wait.
RETRY_SECONDS = 5.0

WAITING = Gauge(
    "soksak_admission_waiting", "Requests to providers that wait their turn.", multiprocess_mode="livesum"
)
ADMITTED = Gauge(
    "soksak_admission_admitted", "Requests to providers that are under way.", ["route"], multiprocess_mode="livesum"
)
REFUSED = Counter("soksak_admission_refused_total", "Requests that found the queue full, or waited too long.", ["why"])


@dataclass(slots=True, eq=False)
class _Waiter:
    user_id: int
    #: Any of them will do, the earlier the better.
    routes: Sequence[Route]
    on_ahead: OnAhead
    admitted: asyncio.Future[Route] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    names: frozenset[str] = field(init=False)
    told: int | None = None
    told_at: float = 0.0

    def __post_init__(self) -> None:
        self.names = frozenset([route.name for route in self.routes])


class Admission:
    """`calls_most` 0: no bound for the process; a route's own is `Route.max_concurrent`. Used on one event loop."""

    def __init__(
        self, *, calls_most: int = 0, queue_most: int = 100, spare: int = 0, wait_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls_most = calls_most
        self._queue_most = queue_most
        #: So many more may wait: what was accepted while others filled the queue is not turned away any more.
        self._spare = spare
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._under_way: dict[str, int] = {}
        #: In the order of arrival.
        self._queue: list[_Waiter] = []
        #: Waiting users, by when they came or were last served: who was served stands behind those who were not.
        self._since: dict[int, int] = {}
        self._number = 0
        #: Each route's bound as last seen: an operator's change counts for those who wait already, too.
        self._bounds: dict[str, int] = {}
        self._late_word: asyncio.TimerHandle | None = None
        #: Turns that are being accepted: each will ask.
        self._expected = 0

    @property
    def is_full(self) -> bool:
        """Whoever asks now and cannot be served at once will be refused."""
        return len(self._queue) >= self._queue_most

    def refuses(self, routes: Sequence[Route]) -> bool:
        """Whether a request that comes now, for any of `routes`, would be refused at once."""
        return self.ahead(routes) >= self._queue_most

    def ahead(self, routes: Sequence[Route]) -> float:
        """How many are before a request that comes now, those expected too; below 0 it would not have to wait.

        Without `routes`, which are not known then, by the bound of the process alone.
        """
        over = self._expected - self._free(routes)
        return over if over < 0 else len(self._queue) + over

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """A turn is being accepted. A crowd that comes at once is counted so before any of it has asked."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1

    def has_room(self, route: Route) -> bool:
        """Whether a request would be made without waiting."""
        known = self._bounds.get(route.name)
        self._bounds[route.name] = route.max_concurrent
        if known not in (None, route.max_concurrent):
            self._serve()
        return self._is_free(route)

    def bounds(self, route: Route) -> bool:
        return bool(self._calls_most or route.max_concurrent)

    async def enter(
        self, route: Route, user_id: int, on_ahead: OnAhead, others: Callable[[], Sequence[Route]] = tuple
    ) -> Route:
        """Returns where the request may be made: at `route`, or at the one of `others` that has room before it does.

        `leave` must follow. `others` is asked only if `route` has no room. Raises ProviderError `provider_busy`.
        """
        if self.has_room(route):
            return self._take(route)
        routes = (route, *others())
        # Whoever waits for a place has it as soon as it is free: nobody is passed over here.
        if (free := next(filter(self.has_room, routes), None)) is not None:
            return self._take(free)
        if len(self._queue) >= self._queue_most + self._spare:
            raise _refusal("full", "Too many wait for this model.")
        waiter = self._join(routes, user_id, on_ahead)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await waiter.admitted
        except TimeoutError:
            if waiter.admitted.done() and not waiter.admitted.cancelled():
                return waiter.admitted.result()  # its turn came in that very moment
            raise _refusal("late", "The model was busy for too long.") from None
        except asyncio.CancelledError:
            if waiter.admitted.done() and not waiter.admitted.cancelled():
                self.leave(waiter.admitted.result())
            raise
        finally:
            self._forget(waiter)

    def leave(self, route: Route) -> None:
        """The request is over: whoever is next goes on at once."""
        self._under_way[route.name] -= 1
        labelled(ADMITTED, route.name).set(self._under_way[route.name])
        self._serve()

    # Internal

    def _serve(self) -> None:
        """Everybody who can go on does, one of each user in turn."""
        while (waiter := next(filter(self._may, self._in_turn()), None)) is not None:
            waiter.admitted.set_result(self._take(next(filter(self._is_free, waiter.routes))))
            self._number += 1
            self._since[waiter.user_id] = self._number
            self._remove(waiter)
        self._tell()

    def _in_turn(self) -> list[_Waiter]:
        """Everybody's first, everybody's second, …; a user's own in the order of their arrival."""
        rounds: Tally[int] = Tally()
        turns: list[tuple[int, int, _Waiter]] = []
        for waiter in self._queue:
            turns.append((rounds[waiter.user_id], self._since[waiter.user_id], waiter))
            rounds[waiter.user_id] += 1
        return [waiter for *_, waiter in sorted(turns, key=lambda turn: turn[:2])]

    def _may(self, waiter: _Waiter) -> bool:
        return not waiter.admitted.done() and any(map(self._is_free, waiter.routes))

    def _is_free(self, route: Route) -> bool:
        own, most = self._under_way.get(route.name, 0), self._bounds[route.name]
        if most and own >= most:
            return False
        return not self._calls_most or sum(self._under_way.values()) < self._calls_most

    def _free(self, routes: Sequence[Route]) -> float:
        """How many requests would be made at once."""
        free = sum(map(self._free_of, routes)) if routes else math.inf
        return min(free, self._calls_most - sum(self._under_way.values())) if self._calls_most else free

    def _free_of(self, route: Route) -> float:
        most = route.max_concurrent
        return max(0, most - self._under_way.get(route.name, 0)) if most else math.inf

    def _take(self, route: Route) -> Route:
        self._under_way[route.name] = self._under_way.get(route.name, 0) + 1
        labelled(ADMITTED, route.name).set(self._under_way[route.name])
        return route

    def _join(self, routes: Sequence[Route], user_id: int, on_ahead: OnAhead) -> _Waiter:
        self._number += 1
        self._since.setdefault(user_id, self._number)
        waiter = _Waiter(user_id, routes, on_ahead)
        self._queue.append(waiter)
        self._tell()
        return waiter

    def _forget(self, waiter: _Waiter) -> None:
        if waiter in self._queue:
            self._remove(waiter)
            self._tell()
        waiter.on_ahead(None)

    def _remove(self, waiter: _Waiter) -> None:
        self._queue.remove(waiter)
        if not any(other.user_id == waiter.user_id for other in self._queue):
            del self._since[waiter.user_id]

    def _tell(self) -> None:
        WAITING.set(len(self._queue))
        if self._late_word is not None:
            self._late_word.cancel()
            self._late_word = None
        now, ahead, is_owed = self._clock(), Tally[frozenset[str]](), False
        for place, waiter in enumerate(self._in_turn()):
            # With a bound of the process everybody is in everybody's way; else whoever may take a place that is wanted.
            before = place if self._calls_most else _wanted_before(waiter, ahead)
            ahead[waiter.names] += 1
            if waiter.told is None or (waiter.told != before and now - waiter.told_at >= QUIET_SECONDS):
                waiter.told, waiter.told_at = before, now
                waiter.on_ahead(before)
            is_owed = is_owed or waiter.told != before
        if is_owed:
            # Nothing may move for a long time: the newest place is told even so.
            self._late_word = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._tell)


async def admitted(
    pieces_of: Callable[[Route], AsyncGenerator[Piece]], admission: Admission, enter: Callable[[], Awaitable[Route]]
) -> AsyncGenerator[Piece]:
    """The pieces of the route that `enter` chose, begun in their turn; the place is held until they are closed."""
    route = await enter()
    try:
        chosen = pieces_of(route)
        # The prompts of the routes that were not taken end here, not with the answer.
        del pieces_of, enter
        async with aclosing(chosen) as asked:
            async for piece in asked:
                yield piece
    finally:
        admission.leave(route)


def _wanted_before(waiter: _Waiter, ahead: Tally[frozenset[str]]) -> int:
    """Few ways to choose among the routes occur, however many wait."""
    return sum([count for names, count in ahead.items() if names & waiter.names])


def _refusal(why: str, message: str) -> ProviderError:
    labelled(REFUSED, why).inc()
    return ProviderError("provider_busy", message, retryable=True, retry_after_seconds=RETRY_SECONDS)
