"""Two routes race for the first words: when content is later than usual, the next route is asked as well.

The first content wins; errors and empty streams lose; the loser is ended at once. Must not know what a route is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from prometheus_client import Counter

from streaming.providers.base import Piece, Route
from streaming.providers.calls import Call
from streaming.providers.health import Health
from streaming.providers.latency import Latencies

#: Races that were saved up for a slow minute.
SAVED_MOST = 5.0

RACES = Counter("soksak_hedges_total", "Second requests for first words that were late.", ["route", "outcome"])


@dataclass(slots=True)
class Budget:
    """Of each hundred answers, `percent` may be raced; 0: none."""

    percent: float
    _saved: float = 0.0

    def earn(self) -> None:
        self._saved = min(self._saved + self.percent / 100, SAVED_MOST)

    def spend(self) -> bool:
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True


@dataclass(slots=True)
class Hedging:
    """One process's: what is known of the routes, and how many races it may run."""

    budget: Budget
    #: A route's first content is late once it is later than this share of its own.
    share: float = 0.95
    latencies: Latencies = field(default_factory=Latencies)
    health: Health = field(default_factory=Health)

    def note(self, call: Call) -> None:
        """Every request's end."""
        self.health.note(call)
        waited = call.first_seconds
        if waited is None and call.outcome == "lost" and call.why == "first":
            # It would have come later still; left out, the slow ones would make the route look fast. A rival that
            # lost says nothing: it was ended by when the late one came, however fast or slow it is itself.
            waited = call.seconds
        # A continuation's first words are not an answer's; all words of a completed call come at its end.
        if waited is not None and call.is_streamed and call.why != "go_on":
            self.latencies.note(call.route, waited)

    def late_after(self, route: Route) -> float | None:
        """Seconds; None: this route is not raced, or too little is known of it."""
        return self.latencies.quantile(route.name, self.share) if route.hedges and self.budget.percent else None

    def likely(self, routes: Sequence[Route]) -> list[Route]:
        """Whom the next answer asks first, and who may race it: their connections shall be ready."""
        first = list(self.health.well(routes) or routes)[:1]
        rival = self.rival(first[0], routes) if first and first[0].hedges and self.budget.percent else None
        return [*first, rival] if rival else first

    def rival(self, route: Route, routes: Sequence[Route]) -> Route | None:
        """The next one that is well, at another server or with another model; else the next that has had its rest.

        A race is the best of probes: whoever is late may still come. Nothing else asks a route of the second place.
        """
        others = [other for other in routes if (other.base_url, other.model) != (route.base_url, route.model)]
        for state in ("closed", "half_open"):
            for other in others:
                if self.health.state(other.name) == state:
                    return other
        return None


@dataclass(slots=True)
class Racer:
    """A stream in the race; `lose` is told before it is ended. One that waits its turn may yet get another route."""

    route: Route
    pieces: AsyncGenerator[Piece]
    lose: Callable[[], None]
    is_waiting: bool = False


async def raced(
    first: Racer, late_after: float, second: Callable[[], Racer | None], won: Callable[[Racer], None]
) -> AsyncGenerator[Piece]:
    """The winner's pieces. `second` is asked once, when `first` is late; None: no race. Raises ProviderError."""
    async with aclosing(first.pieces):
        opening = asyncio.ensure_future(anext(first.pieces))
        try:
            await asyncio.wait([opening], timeout=late_after)
            rival = None if opening.done() else second()
            if rival is None:
                piece, winner = await opening, first
            else:
                piece, winner = await _decided(first, opening, rival)
        finally:
            await _ended(opening)
        won(winner)
        async with aclosing(winner.pieces) as pieces:
            yield piece
            async for piece in pieces:
                yield piece


async def _decided(first: Racer, opening: asyncio.Future[Piece], rival: Racer) -> tuple[Piece, Racer]:
    """First content wins; the other one's stream is closed."""
    rivals = {opening: first, asyncio.ensure_future(anext(rival.pieces)): rival}
    waiting = set(rivals)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            # Both at the same moment: the one that was asked first.
            for task in sorted(done, key=lambda task: task is not opening):
                if task.exception() is None:
                    await _close_all(rivals, but=task)
                    RACES.labels(first.route.name, "lost" if rivals[task] is first else "won").inc()
                    return task.result(), rivals[task]
        RACES.labels(first.route.name, "failed").inc()
        await _close_all(rivals)
        return await opening, first
    except asyncio.CancelledError:
        RACES.labels(first.route.name, "cancelled").inc()
        await _close_all(rivals)
        raise


async def _close_all(
    rivals: dict[asyncio.Future[Piece], Racer], but: asyncio.Future[Piece] | None = None
) -> None:
    for task, racer in rivals.items():
        if task is not but:
            if but is not None:
                racer.lose()
            await _ended(task)
            await racer.pieces.aclose()


async def _ended(task: asyncio.Future[Piece]) -> None:
    """Cancelled if it still runs; its error, if it has one, has been looked at."""
    if not task.done():
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


