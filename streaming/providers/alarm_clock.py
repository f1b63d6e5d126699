"""Wakes together whoever is to be woken at about the same time. Knows nothing of what wakes.

What many streams do one right after the other costs each of them much less than if each did it between other things:
the code and what it touches are still in the processor's caches. With 25 streams it is a tenth of all CPU.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Nobody is woken further than half of this from when they asked to be.
SLOT_SECONDS = 0.01


class AlarmClock:
    __slots__ = ("_loop", "_slots")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: By number, counted from the loop's zero.
        self._slots: dict[int, list[Callable[[], None]]] = {}

    def wake_in(self, seconds: float, wake: Callable[[], None]) -> None:
        """Once, at the slot that is nearest to `seconds` from now; it cannot be taken back."""
        slot = round((self._loop.time() + seconds) / SLOT_SECONDS)
        if slot not in self._slots:
            self._slots[slot] = []
            self._loop.call_at(slot * SLOT_SECONDS, self._ring, slot)
        self._slots[slot].append(wake)

    def _ring(self, slot: int) -> None:
        for wake in self._slots.pop(slot):
            wake()
