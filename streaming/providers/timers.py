"""Time limits around one attempt. They count content, and only while the provider is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from streaming.providers.base import Limits, Piece, ProviderError

_MESSAGES = {
    "provider_first_content_timeout": "No content came in time.",
    "provider_gap_timeout": "No more content came in time.",
    "provider_total_timeout": "The answer took too long as a whole.",
}


async def timed(pieces: AsyncGenerator[Piece], limits: Limits) -> AsyncGenerator[Piece]:
    """The same pieces; raises provider_*_timeout and closes `pieces`, whatever happens."""
    async with aclosing(pieces):
        with Watch(limits) as watch:
            async for piece in pieces:
                watch.rest()
                yield piece
                watch.wait()


class Watch:
    """One timer for the whole stream: content moves the deadline, and the timer, when it fires, looks again.

    As a context it waits from the beginning, and a cancel that was its own comes out as provider_*_timeout.
    """

    def __init__(self, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._ends_at = self._loop.time() + limits.total_seconds
        self._allowed_seconds = limits.first_content_seconds
        self._code = "provider_first_content_timeout"
        self._waiting_since = 0.0
        self._waiter: asyncio.Task[Any] | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._cancels = 0
        self._timer: asyncio.TimerHandle | None = None
        self._fired = ""

    def __enter__(self) -> Watch:
        self.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        late = self._verdict() if kind is asyncio.CancelledError else None
        self._stop()
        if late is not None:
            raise late from None

    def wait(self) -> None:
        """This task waits for the provider from now on."""
        now = self._loop.time()
        # Never cancel the task that runs: it would only notice later, at somebody else's await.
        if now >= self._ends_at:
            raise _late("provider_total_timeout")
        self._waiting_since = now
        # A race waits for first content in a task of its own, which is over when the stream goes on.
        if self._waiter is None or self._waiter.done():
            self._waiter = asyncio.current_task()
            assert self._waiter is not None
            self._cancels = self._waiter.cancelling()
        self._waiting = self._waiter
        if self._timer is None:
            self._timer = self._loop.call_at(self._due(), self._look)

    def rest(self) -> None:
        """There is content; nobody waits until the reader is back."""
        self._waiting = None
        if self._code == "provider_first_content_timeout":
            self._code, self._allowed_seconds = "provider_gap_timeout", self._limits.gap_seconds
            self._stop()

    # Internal

    def _verdict(self) -> ProviderError | None:
        """What a cancel means: our own doing, or None when somebody else wants this task to end."""
        if self._fired and self._waiter is not None and self._waiter.uncancel() <= self._cancels:
            return _late(self._fired)
        return None

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> float:
        return min(self._waiting_since + self._allowed_seconds, self._ends_at)

    def _look(self) -> None:
        """Too late: cancel who waits. Not yet: look again when it would be. Nobody waits: the next one asks."""
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._due():
            self._timer = self._loop.call_at(self._due(), self._look)
            return
        self._fired = self._code if self._due() < self._ends_at else "provider_total_timeout"
        self._waiting.cancel()


def _late(code: str) -> ProviderError:
    return ProviderError(code, _MESSAGES[code], retryable=True)
