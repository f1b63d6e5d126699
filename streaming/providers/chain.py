"""One answer from several routes: retry, next route, completed call; once text is there, continue it.

Text that was yielded is never yielded twice. Must not know Django, sockets or the run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias

from chat.errors import ChatError
from streaming.instrumentation import Meter
from streaming.providers.attempt import joined
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
from streaming.providers.continuation import PREFILL_REPEAT_MIN_BYTES, REPEAT_MIN_BYTES, Seam
from streaming.providers.plan import Attempt, Plan
from streaming.providers.timers import timed

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
    """`stream=False` asks for completed responses only. `mark` hears of the stages of the attempt that counts."""

    routes: Sequence[Route]
    provider_for: ProviderFor
    prompt_for: PromptFor
    stream: bool = True
    mark: Mark = unmarked
    clock: Clock = time.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def generate(self, *, initial_text: str = "") -> AsyncGenerator[Piece | Note]:
        """Yield what follows `initial_text`: Text…, notes in between, one Finished.

        Raises ProviderError, the most telling of all failures; Interrupted when there is text.
        """
        plan = Plan(self.routes, self.stream)
        attempt = plan.first()
        gives_up_at = self.clock() + PATIENCE_SECONDS
        texts = [initial_text] if initial_text else []
        while True:
            known = len(texts)
            try:
                async with aclosing(self._tried(attempt, texts)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ProviderError as error:
                following = plan.after(error, wrote=len(texts) > known)
                if following is None or self.clock() + following.pause_seconds > gives_up_at:
                    raise _last_word(plan, has_text=bool(texts)) from error
                note = Recovering(error.code, attempt.route.name)
            attempt = following
            yield note
            await self.pause(attempt.pause_seconds)

    # Internal

    async def _tried(self, attempt: Attempt, texts: list[str]) -> AsyncGenerator[Piece | Note]:
        """One attempt's new pieces; its texts are added to `texts`. Raises ProviderError."""
        is_chosen = False
        async with aclosing(self._pieces(attempt, "".join(texts))) as pieces:
            async for piece in pieces:
                if not is_chosen:
                    is_chosen = True
                    self.mark("first_content")
                    yield RouteChosen(attempt.route.name, attempt.route.model)
                if isinstance(piece, Text):
                    texts.append(piece.text)
                yield piece

    def _pieces(self, attempt: Attempt, text: str) -> AsyncGenerator[Piece]:
        route = attempt.route
        prompt = self._prompt(route, text)
        meter = Meter(route.name, self.mark, self.clock)
        pieces = self.provider_for(route).generate(prompt, stream=attempt.is_streamed, mark=meter.mark)
        measured = meter.measured(timed(pieces, _limits(attempt)))
        least = PREFILL_REPEAT_MIN_BYTES if prompt.prefill else REPEAT_MIN_BYTES
        return joined(measured, Seam(text, min_bytes=least), is_fresh=not text)

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
