"""How long a stream may be left unread, so that several tokens are taken at once. Pure; knows no socket.

Reading less often costs less than merging after reading: the wake-up, the read, the parse and the frame
all happen once for what the kernel has gathered meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

#: Longest time that text lies unread, seconds. Between the 33 and 50 ms in which a page gathers what it paints.
TICK_SECONDS = 0.04
#: Fewer expected tokens than this in a tick: waiting would only delay them.
WORTH_WAITING_TOKENS = 1.4
#: Weight that what is known of a model's speed keeps with each new batch.
_MEMORY = 0.9
#: A token comes within so much of its time: a rest that ends when one is due takes it along.
JITTER_SECONDS = 0.0005


class Pace:
    """One stream's speed, as content arrives. `clock` gives seconds."""

    __slots__ = ("_came_at", "_clock", "_read_at", "_seconds", "_tick", "_tokens")

    def __init__(self, tick_seconds: float, clock: Callable[[], float]) -> None:
        self._tick = tick_seconds
        self._clock = clock
        self._read_at = 0.0
        #: The newest token.
        self._came_at = 0.0
        self._tokens = 0.0
        self._seconds = 0.0

    def rest_after(self, tokens: int, age: float | None) -> float:
        """Seconds to leave the connection unread now that `tokens` pieces of content were taken, the newest `age` old.

        Until the next one, which is yet to come, has lain there for a tick: with 50 tokens a second those are three
        of them. When the age is not known, a tick from now.
        """
        if not tokens:
            return 0.0
        now = self._clock()
        # The age is by a clock that may be set. What came before the last reading was taken by that.
        known = min(max(age or 0.0, 0.0), now - self._read_at)
        self._read_at = now
        gap = self._gap_after(tokens, now - known)
        if gap is None or self._tick <= gap * WORTH_WAITING_TOKENS:
            return 0.0
        return self._tick if age is None else self._tick + max(0.0, gap - known) + JITTER_SECONDS

    def _gap_after(self, tokens: int, came_at: float) -> float | None:
        """Seconds from one token to the next, on average; None before there are two batches."""
        if self._came_at:
            self._tokens = self._tokens * _MEMORY + tokens
            self._seconds = self._seconds * _MEMORY + came_at - self._came_at
        self._came_at = came_at
        return self._seconds / self._tokens if self._tokens else None
