"""What to try next when an attempt at an answer has failed. Pure decisions; knows no socket and no clock.

Before any content: once more on the same route, the next route, …, the completed call, give up.
After content: continue on the same route, then on the next one, give up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streaming.providers.base import ProviderError, Route
from streaming.providers.calls import Why

MAX_CONTINUATIONS = 2
#: Before the same route is asked again, unless it names a time itself.
RETRY_PAUSE_SECONDS = 0.1
#: A route that still wants a longer wait than this is passed over, whatever it would be asked for.
RETRY_AFTER_MAX_SECONDS = 2.0
_WAITED_ALREADY = ("provider_first_content_timeout", "provider_total_timeout")
_TOLD_TO_WAIT = ("provider_rate_limited", "provider_busy")
#: Of several failures, the earlier kind is told: what a person can act on, then what may pass, then our set-up.
_TELLING = ("context_too_long", "content_filtered", "provider_rate_limited", "provider_busy")
_UNTELLING = ("provider_refused", "provider_not_configured")


@dataclass(frozen=True, slots=True)
class Attempt:
    index: int
    route: Route
    is_streamed: bool
    pause_seconds: float = 0.0


@dataclass(slots=True)
class Plan:
    """One answer's attempts, in turn. `is_streamed` False: completed calls only, the streaming path is off."""

    routes: Sequence[Route]
    is_streamed: bool
    current: Attempt = field(init=False)
    failures: list[tuple[Attempt, ProviderError]] = field(default_factory=list)
    continuations: int = 0
    has_content: bool = False
    #: When a route that asked for time may be asked again.
    _free_at: dict[str, float] = field(default_factory=dict)
    _now: float = 0.0

    def first(self) -> Attempt:
        if not self.routes:
            raise ProviderError("provider_not_configured", "There is no enabled route.", retryable=False)
        self.current = Attempt(0, self.routes[0], self.is_streamed)
        return self.current

    def after(self, error: ProviderError, *, wrote: bool, now: float = 0.0) -> Attempt | None:
        """The next attempt, now that the current one has failed; `wrote`: it had given content. None: give up."""
        self.failures.append((self.current, error))
        self._now = now
        # What it said last counts.
        self._free_at[self.current.route.name] = now + (error.retry_after_seconds or 0.0)
        self.has_content = self.has_content or wrote
        chosen = self._continuation(error) if self.has_content else self._fresh(error)
        if chosen is not None:
            self.current = chosen
        return chosen

    @property
    def is_untried(self) -> bool:
        return not self.failures and not self.has_content

    @property
    def may_race(self) -> bool:
        """Only the first words of an answer are waited for."""
        return self.is_streamed and self.is_untried

    def why(self, *, has_text: bool) -> Why:
        """What the current attempt is for."""
        if has_text:
            return "go_on"
        if not self.failures:
            return "first"
        if self._is_last_resort():
            return "completed"
        return "again" if self.failures[-1][0].route is self.current.route else "next"

    def begin(self, route: Route) -> None:
        """Nothing was asked yet, and this one of the routes has room before the others: they come after it."""
        self.routes = (route, *(other for other in self.routes if other is not route))
        self.current = Attempt(0, route, self.is_streamed)

    def follow(self, route: Route) -> None:
        """The answer now comes from this one of the routes."""
        self.current = Attempt(self.routes.index(route), route, self.is_streamed)

    def most_telling(self) -> ProviderError:
        return min((error for _, error in self.failures), key=_rank)

    # Internal

    def _fresh(self, error: ProviderError) -> Attempt | None:
        return self._again(error) or self._next_route() or self._completed()

    def _again(self, error: ProviderError) -> Attempt | None:
        pause = _pause(error)
        tries = sum(1 for attempt, _ in self.failures if attempt.route is self.current.route)
        if pause is None or tries > 1 or error.code in _WAITED_ALREADY:
            return None
        return Attempt(self.current.index, self.current.route, self.current.is_streamed, pause)

    def _next_route(self) -> Attempt | None:
        index = self.current.index + 1
        if self._is_last_resort() or index >= len(self.routes):
            return None
        return Attempt(index, self.routes[index], self.is_streamed)

    def _completed(self) -> Attempt | None:
        """The first route that may: it was not refused, and not told to wait for long."""
        if not self.is_streamed or self._is_last_resort():
            return None
        for attempt, error in self.failures:
            wait = self._wait(attempt.route)
            if error.retryable and error.code not in _TOLD_TO_WAIT and wait <= RETRY_AFTER_MAX_SECONDS:
                return Attempt(attempt.index, attempt.route, is_streamed=False, pause_seconds=wait)
        return None

    def _wait(self, route: Route) -> float:
        """Seconds that are left of what it asked for."""
        return max(0.0, self._free_at.get(route.name, 0.0) - self._now)

    def _is_last_resort(self) -> bool:
        return self.is_streamed and not self.current.is_streamed

    def _continuation(self, error: ProviderError) -> Attempt | None:
        self.continuations += 1
        if self.continuations > MAX_CONTINUATIONS:
            return None
        pause, here = _pause(error), self.current.index
        same = None if pause is None else Attempt(here, self.current.route, self.is_streamed, pause)
        if same is not None and self.continuations == 1:
            return same
        for index in (*range(here + 1, len(self.routes)), *range(here)):
            wait = self._wait(self.routes[index])
            if wait <= RETRY_AFTER_MAX_SECONDS:
                return Attempt(index, self.routes[index], self.is_streamed, wait)
        return same


def _pause(error: ProviderError) -> float | None:
    """Seconds before the same route may be asked again; None: not worth it."""
    wait = RETRY_PAUSE_SECONDS if error.retry_after_seconds is None else error.retry_after_seconds
    return wait if error.retryable and wait <= RETRY_AFTER_MAX_SECONDS else None


def _rank(error: ProviderError) -> int:
    if error.code in _TELLING:
        return _TELLING.index(error.code)
    return len(_TELLING) + (1 + _UNTELLING.index(error.code) if error.code in _UNTELLING else 0)
