"""Which routes are well, from what became of the requests to them: a circuit breaker a route, this process's own.

A route that is not well is asked last, never not at all: when nothing else is left, trying costs nothing. Pure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Gauge

from streaming.providers.base import Route
from streaming.providers.calls import Call

State = Literal["closed", "open", "half_open"]

#: So many failures without a success between them open the circuit.
FAILURES_TO_OPEN = 4
#: How long it stays open at first; doubled with each probe that fails.
OPEN_SECONDS = 5.0
OPEN_MOST_SECONDS = 120.0
#: A probe that was never heard of again does not hold the next one up.
PROBE_SECONDS = 30.0
#: Waits that a provider asks for are believed up to here.
RETRY_AFTER_MOST_SECONDS = 600.0
SUCCESSES = frozenset({"stop", "length", "content_filter"})
FAILURES = frozenset({
    "provider_unavailable", "provider_rate_limited", "provider_first_content_timeout", "provider_gap_timeout",
    "provider_total_timeout", "provider_incomplete", "provider_garbage", "provider_error_frame", "provider_refused",
    "provider_not_configured", "provider_empty",
})

OPEN = Gauge(
    "soksak_route_open", "1 while a route is asked last, because it fails.", ["route"], multiprocess_mode="livemax"
)


@dataclass(slots=True)
class Circuit:
    failures: int = 0
    open_seconds: float = OPEN_SECONDS
    opened_at: float = 0.0
    open_until: float | None = None
    probed_at: float | None = None

    def state(self, now: float) -> State:
        if self.open_until is None:
            return "closed"
        is_probed = self.probed_at is not None and now < self.probed_at + PROBE_SECONDS
        return "open" if now < self.open_until or is_probed else "half_open"


class Health:
    """`note` every request's end; `ordered` before an answer's first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}

    def state(self, route_name: str) -> State:
        circuit = self._circuits.get(route_name)
        return circuit.state(self._clock()) if circuit else "closed"

    def well(self, routes: Sequence[Route]) -> Sequence[Route]:
        """Those that nothing is held against."""
        return [route for route in routes if self.state(route.name) == "closed"] if self._circuits else routes

    def ordered(self, routes: Sequence[Route]) -> tuple[Route, ...]:
        """The operator's order, with the routes that are not well at the end.

        The first that is half open keeps its place for this one answer, whose request is the probe.
        """
        if not self._circuits:
            return tuple(routes)
        ill = [route for route in routes if self.state(route.name) != "closed"]
        probe = next((route for route in ill if self.state(route.name) == "half_open"), None)
        # Without a healthy one to fall back to, an order changes nothing.
        if probe is not None and probe is routes[0]:
            self.probe(probe.name)
            ill.remove(probe)
        return (*(route for route in routes if route not in ill), *ill)

    def probe(self, route_name: str) -> None:
        """It is being asked: if it is half open, nobody else shall ask it until the end of that is noted."""
        circuit = self._circuits.get(route_name)
        if circuit is not None and circuit.state(self._clock()) == "half_open":
            circuit.probed_at = self._clock()

    def note(self, call: Call) -> None:
        if call.outcome in SUCCESSES:
            self._close(call)
        elif call.outcome in FAILURES:
            self._count(call)

    # Internal

    def _close(self, call: Call) -> None:
        circuit = self._circuits.get(call.route)
        # One that was begun before the circuit opened is no news: the provider has asked for time since.
        if circuit is not None and (circuit.open_until is None or call.asked_at >= circuit.opened_at):
            del self._circuits[call.route]
            OPEN.labels(call.route).set(0)

    def _count(self, call: Call) -> None:
        circuit = self._circuits.setdefault(call.route, Circuit())
        circuit.failures += 1
        asked_to_wait = min(call.retry_after_seconds or 0.0, RETRY_AFTER_MOST_SECONDS)
        if circuit.open_until is not None and call.asked_at < circuit.open_until and not asked_to_wait:
            return  # begun before the circuit opened: no news
        if circuit.failures >= FAILURES_TO_OPEN:
            self._open(circuit, call.route, asked_to_wait)
        elif asked_to_wait:
            self._rest(circuit, call.route, asked_to_wait)

    def _open(self, circuit: Circuit, route: str, at_least: float) -> None:
        if circuit.open_until is not None:
            circuit.open_seconds = min(circuit.open_seconds * 2, OPEN_MOST_SECONDS)
        self._rest(circuit, route, max(circuit.open_seconds, at_least))

    def _rest(self, circuit: Circuit, route: str, seconds: float) -> None:
        circuit.opened_at = self._clock()
        circuit.open_until = circuit.opened_at + seconds
        circuit.probed_at = None
        OPEN.labels(route).set(1)
