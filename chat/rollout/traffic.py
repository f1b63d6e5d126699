"""Traffic for the gate's simulation: so many requests a minute, so large a share of them bad, as tallies."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from random import Random
from statistics import NormalDist

from chat.rollout.tallies import Tally


def steady(share: float, volume: int, random: Random) -> Iterator[Tally]:
    """Minute by minute, for ever."""
    sums, tallies = _table(volume, share)
    while True:
        yield tallies[bisect_left(sums, random.random())]


@dataclass(frozen=True)
class Blips:
    """Calm and bad minutes in runs of a random length: `often` of all minutes are bad, `minutes` in a row on average.
    Requests of neighbouring minutes thus resemble one another, as those of real traffic do.
    """

    calm: float
    bad: float
    often: float = 0.05
    minutes: float = 5.0

    def traffic(self, volume: int, random: Random) -> Iterator[Tally]:
        calm, bad = steady(self.calm, volume, random), steady(self.bad, volume, random)
        is_bad, leave = False, 1.0 / self.minutes
        enter = leave * self.often / (1.0 - self.often)
        while True:
            is_bad = random.random() >= leave if is_bad else random.random() < enter
            yield next(bad if is_bad else calm)


def late(limit: float, p50: float, p95: float) -> float:
    """The share over `limit` of a lognormal time with this median and p95."""
    spread = math.log(p95 / p50) / NormalDist().inv_cdf(0.95)
    return 1.0 - NormalDist().cdf(math.log(limit / p50) / spread)


@cache
def _table(volume: int, share: float) -> tuple[list[float], list[Tally]]:
    """The binomial distribution: sums of probabilities up to where nothing is left, and what each stands for."""
    if not 0.0 < share < 1.0:
        return [1.0], [Tally(volume, round(volume * share))]
    odds, first = math.log(share / (1.0 - share)), volume * math.log1p(-share)
    logs = (first + k * odds + math.log(math.comb(volume, k)) for k in range(volume + 1))
    sums = list(accumulate(map(math.exp, logs)))
    return [*sums[:-1], 1.0], [Tally(volume, k) for k in range(volume + 1)]
