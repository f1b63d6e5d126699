"""How late first content comes on each route: a sketch with buckets of fixed ratio, so that sketches can be added.

The last minutes count, in slots; what other processes measured is added from outside. Pure; seconds throughout.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable

#: A bucket's upper bound is this many times its lower one: what is read is at most 2.5 % off.
RATIO = 1.05
SLOT_SECONDS = 120.0
#: How many slots count, the running one among them.
SLOTS = 5
#: Fewer measurements than this say nothing about a tail.
LEAST_COUNT = 40
_LOG_RATIO = math.log(RATIO)
_LEAST_SECONDS = 0.001

#: bucket → how many.
Buckets = Counter[int]


def bucket_of(seconds: float) -> int:
    return math.ceil(math.log(max(seconds, _LEAST_SECONDS)) / _LOG_RATIO)


def middle_of(bucket: int) -> float:
    return float(RATIO ** (bucket - 0.5))


def quantile(buckets: Buckets, share: float) -> float | None:
    """None: too few to say."""
    total = buckets.total()
    if total < LEAST_COUNT:
        return None
    rank, seen = share * total, 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= rank:
            return middle_of(bucket)
    return None


class Latencies:
    """`note` and `quantile` are this process's; `learn` what the others have told, by route."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        # Wall time: processes must agree on where a slot begins.
        self._clock = clock
        self._slots: dict[tuple[str, int], Buckets] = {}
        self.elsewhere: dict[str, Buckets] = {}
        self._learnt_at = 0.0
        #: (route, slot) → what nobody else has been told yet.
        self.news: dict[tuple[str, int], Buckets] = {}

    def slot(self) -> int:
        return int(self._clock() / SLOT_SECONDS)

    def note(self, route: str, seconds: float) -> None:
        key, bucket = (route, self.slot()), bucket_of(seconds)
        if key not in self._slots:
            self._forget()
        for kept in (self._slots, self.news):
            kept.setdefault(key, Counter())[bucket] += 1

    def learn(self, elsewhere: dict[str, Buckets]) -> None:
        """What the others measured in the last minutes, instead of what was known of them."""
        self.elsewhere, self._learnt_at = elsewhere, self._clock()

    def quantile(self, route: str, share: float) -> float | None:
        """Of the last minutes; None: too few measurements."""
        # Nobody tells anything anew while Redis is away; what was told has gone by then, as our own has.
        is_recent = abs(self._clock() - self._learnt_at) < SLOTS * SLOT_SECONDS
        others = self.elsewhere.get(route) if is_recent else None
        return quantile(self.own(route) + (others or Counter()), share)

    def own(self, route: str) -> Buckets:
        """What this process measured in the last minutes."""
        now = self.slot()
        recent = (self._slots.get((route, slot)) for slot in range(now - SLOTS + 1, now + 1))
        return sum((buckets for buckets in recent if buckets), Counter())

    # Internal

    def _forget(self) -> None:
        """A clock that jumped back leaves slots of the future behind: they go, too."""
        now = self.slot()
        for kept in (self._slots, self.news):
            for key in [key for key in kept if not now - SLOTS < key[1] <= now]:
                del kept[key]
