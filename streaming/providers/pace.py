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
_MEMORY = 0.85


class Pace:
    """One stream's speed, as content arrives. `clock` gives seconds."""

    __slots__ = ("_clock", "_last", "_seconds", "_tick", "_tokens")

    def __init__(self, tick_seconds: float, clock: Callable[[], float]) -> None:
        self._tick = tick_seconds
        self._clock = clock
        self._last = 0.0
        self._tokens = 0.0
        self._seconds = 0.0

    def rest_after(self, tokens: int) -> float:
        """Seconds to leave the connection unread now that `tokens` pieces of content were taken."""
        if not tokens:
            return 0.0
        now = self._clock()
        if self._last:
            self._tokens = self._tokens * _MEMORY + tokens
            self._seconds = self._seconds * _MEMORY + now - self._last
        self._last = now
        return self._tick if self._tokens * self._tick > self._seconds * WORTH_WAITING_TOKENS else 0.0
