"""Traffic for the gate's simulation: so many requests a minute, so large a share of them bad, as tallies."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, islice
from random import Random
from statistics import NormalDist

from chat.rollout.tallies import Tally


def steady(share: float, volume: int, random: Random) -> Iterator[Tally]:
    """Minute by minute, for ever."""
    sums, tallies = _table(volume, share)
    while True:
        yield tallies[bisect_left(sums, random.random())]


DAY_MINUTES = 1440
#: Tables are kept by share: a day's are so many.
STEPS_A_DAY = 96


def by_day(share: float, volume: int, random: Random, *, more: float = 0.0) -> Iterator[Tally]:
    """`share` at noon and none at midnight, when it begins, with a tenth of noon's requests; `more` at all times."""
    while True:
        for step in range(STEPS_A_DAY):
            light = (1.0 - math.cos(2.0 * math.pi * (step + 0.5) / STEPS_A_DAY)) / 2.0
            requests = max(1, round(volume * (0.1 + 0.9 * light)))
            yield from islice(steady(share * light + more, requests, random), DAY_MINUTES // STEPS_A_DAY)


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
