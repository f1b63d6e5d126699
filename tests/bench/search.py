"""The largest number that still passes, found in a bounded number of probes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

#: Nearer than this the machine itself is not.
NEAR_TIMES = 1.07


def largest(passes: Callable[[int], bool], *, start: int, most: int, probes: int) -> int:
    """0 when nothing passed. Doubles or halves from `start` until it is between two, then halves what is between."""
    low, high = 0, most + 1
    at = min(start, most)
    for _ in range(probes):
        if passes(at):
            low = at
        else:
            high = at
        if low and high <= low * NEAR_TIMES:
            break
        at = _next(low, high, most)
        if at in (0, low, high):
            break
    return low


def _next(low: int, high: int, most: int) -> int:
    if not low:
        return high // 2
    # By ratio, since that is what is asked for.
    return min(low * 2, most) if high > most else round(sqrt(low * high))
