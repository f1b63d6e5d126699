"""How long things take: people who think, and models whose first words have a tail. Pure; the chance is given.

Seconds everywhere.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

#: Of the standard normal distribution.
NINETY_FIFTH = 1.6448536
#: Longer than any route waits.
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Lognormal:
    """By its median and its 95th percentile; both 0: no time at all."""

    p50: float
    p95: float

    def draw(self, chance: Random) -> float:
        if not self.p50:
            return 0.0
        sigma = math.log(self.p95 / self.p50) / NINETY_FIFTH
        return min(chance.lognormvariate(math.log(self.p50), sigma), LONGEST_SECONDS)

    def __str__(self) -> str:
        return f"p50 {self.p50:g} s, p95 {self.p95:g} s"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model does once it is asked. `first` None: it stays silent for as long as anybody waits."""

    first: float | None
    tokens: int
    per_second: float


class Tail(Protocol):
    def draw(self, chance: Random) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """First words from a lognormal, of a hundred answers so many stalls; all of the same length and pace."""

    first: Lognormal
    stall_percent: float = 0.0
    tokens: int = 80
    per_second: float = 50.0

    def draw(self, chance: Random) -> Answer:
        is_stalled = chance.random() * 100 < self.stall_percent
        return Answer(None if is_stalled else self.first.draw(chance), self.tokens, self.per_second)

    def __str__(self) -> str:
        return f"first words {self.first}, {self.stall_percent:g} % stalls"


@dataclass(frozen=True, slots=True)
class Past:
    """One request to a model as it was. `waited` without words (None: there were some), whoever ended it."""

    first: float | None
    tokens: int = 0
    per_second: float = 0.0
    waited: float = 0.0


class Recorded:
    """Answers as they were, drawn again; the whole of one at a time, for slow beginnings have paces of their own.

    Of a request that was given up before its words one knows only that they were later: one of the later answers
    stands for it, whichever; where there is none it stalls. To leave them out would make the tail too short.
    """

    def __init__(self, past: Sequence[Past]) -> None:
        self._past = list(past)
        self._spoken = sorted((one for one in past if one.first is not None), key=lambda one: one.first or 0.0)
        self._firsts = [one.first or 0.0 for one in self._spoken]

    def draw(self, chance: Random) -> Answer:
        one = chance.choice(self._past)
        if one.first is not None:
            return Answer(one.first, one.tokens, one.per_second)
        later = self._spoken[bisect_right(self._firsts, one.waited):]
        if not later:
            return Answer(None, 0, 0.0)
        return self._as(chance.choice(later))

    def __str__(self) -> str:
        p50, p95 = self._at(0.5), self._at(0.95)
        return f"first words of {len(self._past)} recorded requests, p50 {p50:.2f} s, p95 {p95:.2f} s"

    # Internal

    def _as(self, one: Past) -> Answer:
        return Answer(one.first, one.tokens, one.per_second)

    def _at(self, share: float) -> float:
        return self._firsts[min(len(self._firsts) - 1, int(share * len(self._firsts)))]
