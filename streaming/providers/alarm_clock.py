"""Wakes together whoever is to be woken at about the same time. Knows nothing of what wakes.

What many streams do one right after the other costs each of them much less than if each did it between other things:
the code and what it touches are still in the processor's caches. With 25 streams it is a tenth of all CPU.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

#: Nobody is woken later than this after the time they asked for.
SLOT_SECONDS = 0.005
#: With more sleepers there are enough of them in a smaller slot; in a larger one they would wait for each other.
MANY = 150
#: Loops count whole milliseconds, and so do slots.
_A_SECOND = 1000
_COARSE = round(SLOT_SECONDS * _A_SECOND)
#: Of 400 streams it wakes a dozen at once, for 2 % less CPU than one of a millisecond.
_FINE = 2


class AlarmClock:
    __slots__ = ("_loop", "_sleeping", "_slots")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: By the millisecond in which they are woken, counted from the loop's zero.
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._sleeping = 0

    def wake_in(self, seconds: float, wake: Callable[[], None]) -> None:
        """Once, `seconds` from now or somewhat later; it cannot be taken back."""
        self._sleeping += 1
        step = _FINE if self._sleeping > MANY else _COARSE
        slot = math.ceil((self._loop.time() + seconds) * _A_SECOND / step) * step
        if slot not in self._slots:
            self._slots[slot] = []
            self._loop.call_at(slot / _A_SECOND, self._ring, slot)
        self._slots[slot].append(wake)

    def _ring(self, slot: int) -> None:
        woken = self._slots.pop(slot)
        self._sleeping -= len(woken)
        for wake in woken:
            wake()
