"""One answer from several routes: retry, next route, completed call; once text is there, continue it.

Text that was yielded is never yielded twice. Must not know Django, sockets or the run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from chat.errors import ChatError
from streaming.instrumentation import Meter
from streaming.providers.admission import Admission, OnAhead, admitted, unconcerned
from streaming.providers.attempt import Joint, attempted
from streaming.providers.base import (
    Limits,
    Mark,
    Piece,
    Prompt,
    Provider,
    ProviderError,
    Route,
    Text,
    unmarked,
)
from streaming.providers.calls import Call, Heard, Why, unheard
from streaming.providers.continuation import PREFILL_REPEAT_MIN_BYTES, REPEAT_MIN_BYTES, Seam
from streaming.providers.hedging import Hedging, Racer, raced
from streaming.providers.plan import Attempt, Plan

#: No new attempt begins later than this after the first one began.
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class RouteChosen:
    """Content, or the end, now comes from this route."""

    route_name: str
    model: str


@dataclass(frozen=True, slots=True)
class Recovering:
    """An attempt failed with `code` on this route; another one begins."""

    code: str
    route_name: str


class Interrupted(ProviderError):
    """Nothing more could be had, but there is text: keep it."""


Note: TypeAlias = RouteChosen | Recovering
Clock: TypeAlias = Callable[[], float]
#: (route, text so far) → what to send; raises ChatError when the route cannot take it.
PromptFor: TypeAlias = Callable[[Route, str], Prompt]
ProviderFor: TypeAlias = Callable[[Route], Provider]


@dataclass(slots=True)
class Chain:
    """`stream=False` asks for completed responses only. `mark` hears of the stages of the attempt that counts.

    `heard` is told of every request that was made, when it has ended. Without `hedging` no two routes race.
    """

    routes: Sequence[Route]
    provider_for: ProviderFor
    prompt_for: PromptFor
    stream: bool = True
    mark: Mark = unmarked
    heard: Heard = unheard
    hedging: Hedging | None = None
    admission: Admission | None = None
    #: Whose turn it is counted as, and who is told how many are ahead.
    user_id: int = 0
    on_ahead: OnAhead = unconcerned
    clock: Clock = time.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def generate(self, *, initial_text: str = "") -> AsyncGenerator[Piece | Note]:
        """Yield what follows `initial_text`: Text…, notes in between, one Finished.

        Raises ProviderError, the most telling of all failures; Interrupted when there is text.
        """
        plan = Plan(self.routes, self.stream)
        if self.hedging is not None:
            self.hedging.budget.earn()
        plan.first()
        gives_up_at = self.clock() + PATIENCE_SECONDS
        texts = [initial_text] if initial_text else []
        while True:
            known = len(texts)
            try:
                async with aclosing(self._pieces(plan, "".join(texts))) as pieces:
                    is_chosen = False
                    async for piece in pieces:
                        if not is_chosen:
                            is_chosen = True
                            self.mark("first_content")
                            yield RouteChosen(plan.current.route.name, plan.current.route.model)
                        if isinstance(piece, Text):
                            texts.append(piece.text)
                        yield piece
                return
            except ProviderError as error:
                note = Recovering(error.code, plan.current.route.name)
                pause_seconds = self._pause_after(error, plan, texts, wrote=len(texts) > known, until=gives_up_at)
            yield note
            await self.pause(pause_seconds)

    # Internal

    def _pause_after(
        self, error: ProviderError, plan: Plan, texts: list[str], *, wrote: bool, until: float
    ) -> float:
        """Seconds before what is now the plan's current attempt; raises where there is none, or not `until` then."""
        following = plan.after(error, wrote=wrote, now=self.clock())
        if following is None or self.clock() + following.pause_seconds > until:
            raise _last_word(plan, has_text=bool(texts)) from error
        return following.pause_seconds

    def _pieces(self, plan: Plan, text: str) -> AsyncGenerator[Piece]:
        attempt, hedging = plan.current, self.hedging
        first = self._racer(attempt, text, plan.why(has_text=bool(text)))
        self._queue(first, plan if plan.is_untried and not text else None)
        late_after = hedging.late_after(attempt.route) if hedging and plan.may_race and not text else None
        # Waiting one's turn here is no lateness of the route; a race would make the crowd larger.
        if hedging is None or late_after is None or not self._has_room(attempt.route):
            return first.pieces

        def second() -> Racer | None:
            # Of a crowd that came at once not everybody found the room that there was.
            if first.is_waiting or first.route is not attempt.route:
                return None
            rival = hedging.rival(attempt.route, self.routes)
            if rival is None or not self._has_room(rival) or not hedging.budget.spend():
                return None
            hedging.health.probe(rival.name)
            return self._rival(rival)

        return raced(first, late_after, second, lambda winner: plan.follow(winner.route))

    def _rival(self, route: Route) -> Racer | None:
        try:
            rival = self._racer(Attempt(0, route, is_streamed=True), "", "hedge")
        except ProviderError:
            return None  # it could not even be asked; whoever is late may still come
        self._queue(rival)
        return rival

    def _racer(self, attempt: Attempt, text: str, why: Why) -> Racer:
        try:
            return self._made(attempt, text, why)
        except ProviderError as error:
            route = attempt.route
            # It is accounted even so: whoever looks shall see why this route was passed over.
            self.heard(Call(route.name, route.model, why, attempt.is_streamed, self.clock(), outcome=error.code))
            raise

    def _made(self, attempt: Attempt, text: str, why: Why) -> Racer:
        route = attempt.route
        prompt, provider = self._prompt(route, text), self.provider_for(route)
        call = Call.of(route, prompt, why, is_streamed=attempt.is_streamed)
        # A rival's stages are not those that the reader waited for.
        meter = Meter(call, unmarked if why == "hedge" else self.mark, self.heard, self.clock)
        pieces = provider.generate(prompt, stream=attempt.is_streamed, mark=meter.mark)
        seam = Seam(text, min_bytes=PREFILL_REPEAT_MIN_BYTES if prompt.prefill else REPEAT_MIN_BYTES)
        return Racer(route, attempted(pieces, _limits(attempt), Joint(seam, is_fresh=not text), meter), meter.lose)

    def _has_room(self, route: Route) -> bool:
        return self.admission is None or self.admission.has_room(route)

    def _queue(self, racer: Racer, plan: Plan | None = None) -> None:
        """It shall be asked when it is its turn. With a plan of which nothing was asked yet, by any route with room."""
        admission, route, pieces = self.admission, racer.route, racer.pieces
        if admission is None or not admission.bounds(route):
            return
        others: dict[str, Racer] = {}

        def elsewhere() -> list[Route]:
            if plan is not None:
                others.update((other.route.name, other) for other in self._others(plan))
            return [other.route for other in others.values()]

        def pieces_of(entered: Route) -> AsyncGenerator[Piece]:
            racer.is_waiting = False
            if entered is route or plan is None:
                return pieces
            plan.begin(entered)
            other = others[entered.name]
            racer.route, racer.lose = other.route, other.lose
            return other.pieces

        racer.is_waiting = True
        racer.pieces = admitted(
            pieces_of, admission, lambda: admission.enter(route, self.user_id, self.on_ahead, elsewhere)
        )

    def _others(self, plan: Plan) -> Iterator[Racer]:
        """What would do as well as the first route, which has no room: made already, so that it is sure to be asked."""
        health = self.hedging.health if self.hedging else None
        for route in health.well(plan.routes) if health else plan.routes:
            if route is not plan.current.route:
                with suppress(ProviderError):
                    yield self._made(Attempt(0, route, plan.is_streamed), "", "first")

    def _prompt(self, route: Route, text: str) -> Prompt:
        try:
            return self.prompt_for(route, text)
        except ChatError as error:  # this route cannot take the prompt; the next one may
            raise ProviderError(error.code, error.message, retryable=False) from error


def _limits(attempt: Attempt) -> Limits:
    """All content of a completed call comes at its end."""
    limits = attempt.route.limits
    return limits if attempt.is_streamed else replace(limits, first_content_seconds=limits.total_seconds)


def _last_word(plan: Plan, *, has_text: bool) -> ProviderError:
    error = plan.most_telling()
    if not has_text:
        return error
    return Interrupted(error.code, error.message, retryable=error.retryable)
