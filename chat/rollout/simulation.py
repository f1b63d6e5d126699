"""The gate on simulated traffic, whose truth is known: how often it errs, and how soon it sees. Seeded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice
from random import Random

from chat.rollout.alarms import is_alarmed, is_over_as_a_whole
from chat.rollout.differences import is_not_worse
from chat.rollout.evidence import Seen
from chat.rollout.sequences import is_under
from chat.rollout.slos import ALPHA, FALSE_PROMOTION, STAGES_A_MONTH, Slo, Strikes
from chat.rollout.tallies import Tally
from chat.rollout.traffic import steady
from chat.rollout.watches import MONTH_MINUTES, likelihood_ratios


def minutes_to_alarm(slo: Slo, seen: Seen, traffic: Iterator[Tally], minutes: int) -> int | None:
    """With a look at every minute; None: there was no alarm."""
    for minute, tally in enumerate(islice(traffic, minutes), 1):
        seen.stream += tally
        seen.watch.feed(tally, 1.0, slo)
        if is_alarmed(slo, seen):
            return minute
    return None


def quick_minutes_to_alarm(slo: Slo, traffic: Iterator[Tally], minutes: int) -> int | None:
    """As `minutes_to_alarm` of a new stage, many times quicker: what a tally does to a bet is worked out once, and
    minutes in a row without anything bad, which raise no alarm, are taken together.

    The traffic must give the same objects again and again, and keep them, as chat/rollout/traffic.py does.
    """
    known: dict[tuple[int, int], list[tuple[float, float]]] = {}
    minute, requests, bad, sums = 0, 0, 0, [0.0] * len(slo.alternatives)
    stake, wanted, square = 1.0 / MONTH_MINUTES, 1.0 / ALPHA, math.log(1.0 / ALPHA) * slo.limit * (1.0 - slo.limit)
    is_strikes = isinstance(slo, Strikes)
    for _, alike in groupby(islice(traffic, minutes), key=id):
        tally, *others = alike
        times = len(others) + 1
        for together in [1] * times if tally.bad else [times]:
            minute, requests, bad = minute + together, requests + together * tally.requests, bad + tally.bad
            effects = known.get((id(tally), together))
            if effects is None:
                effects = known[id(tally), together] = _effects(slo, tally, together, stake / len(sums))
            sums = [held * power + stakes for held, (power, stakes) in zip(sums, effects, strict=True)]
            if not tally.bad:
                continue
            over = bad - requests * slo.limit
            # No sequence is over before the best ratio is, and that not before this (χ² is more than the divergence).
            may_be_over = is_strikes or (over > 0.0 and over * over >= square * requests)
            if may_be_over and is_over_as_a_whole(slo, Seen(Tally(requests, bad))):
                return minute
            if 1.0 - minute * stake + sum(sums) >= wanted:
                return minute
    return None


def is_month_alarmed(slo: Slo, traffic: Iterator[Tally]) -> bool:
    """A month of the stages that it may begin, each as long as the others."""
    minutes = MONTH_MINUTES // STAGES_A_MONTH
    return any(quick_minutes_to_alarm(slo, traffic, minutes) for _ in range(STAGES_A_MONTH))


def is_stage_promoted(slo: Slo, traffic: Iterator[Tally], soak_minutes: int = 0) -> bool:
    """Is `slo` ever taken for proven in a stage of a quarter of a month, with a look at every minute after the soak?"""
    minutes, seen = MONTH_MINUTES // STAGES_A_MONTH, Seen()
    for minute, tally in enumerate(islice(traffic, minutes)):
        seen.stream += tally
        if minute >= soak_minutes and is_under(seen.stream, slo.limit, slo.prior, FALSE_PROMOTION):
            return True
    return False


@dataclass(frozen=True)
class Regression:
    """The share goes from `before` to `after` once `healthy_minutes` have passed."""

    slo: Slo
    before: float
    after: float
    volume: int
    healthy_minutes: int = 0

    def requests_to_alarm(self, random: Random) -> int:
        """From the change to the look that sees it. A month with a false alarm before it is taken anew."""
        healthy = islice(steady(self.before, self.volume, random), self.healthy_minutes)
        traffic = chain(healthy, steady(self.after, self.volume, random))
        found = quick_minutes_to_alarm(self.slo, traffic, MONTH_MINUTES) or MONTH_MINUTES
        if found <= self.healthy_minutes:
            return self.requests_to_alarm(random)
        return (found - self.healthy_minutes) * self.volume


@dataclass(frozen=True)
class Promotion:
    """Requests until `share` is proven to be within the limit, and no worse than as many of the control cohort."""

    slo: Slo
    share: float
    control: float
    volume: int = 100
    most: int = 200_000

    def requests_to_proof(self, random: Random) -> int | None:
        ours, theirs = steady(self.share, self.volume, random), steady(self.control, self.volume, random)
        seen = Seen()
        while seen.stream.requests < self.most:
            seen.stream, seen.control = seen.stream + next(ours), seen.control + next(theirs)
            if self._is_proven(seen):
                return seen.stream.requests
        return None

    def _is_proven(self, seen: Seen) -> bool:
        slo, margin = self.slo, self.slo.margin
        return is_under(seen.stream, slo.limit, slo.prior, FALSE_PROMOTION) and (
            margin is None or is_not_worse(seen.stream, seen.control, margin, slo.prior, FALSE_PROMOTION)
        )


# Internal


def _effects(slo: Slo, tally: Tally, times: int, stake: float) -> list[tuple[float, float]]:
    """So many such minutes in a row: what each bet is multiplied by, and what its new stakes have become at the end."""
    effects = []
    for log_ratio in likelihood_ratios(tally, slo):
        power = math.exp(times * log_ratio)
        # A geometric series.
        effects.append((power, stake * (times if log_ratio == 0.0 else (power - 1.0) / math.expm1(log_ratio))))
    return effects
