"""The rollout's gate on traffic whose truth is known: `python -m tests.bench.gate` prints docs/ROLLOUT.md's tables.

Every run has its own seed, made of the case's name and its number: the same command prints the same figures.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random

from chat.rollout.differences import is_not_worse
from chat.rollout.simulation import Regression, is_month_alarmed, is_stage_promoted
from chat.rollout.slos import FAILURES, FALSE_PROMOTION, FIRST_WORDS, LOST, SLOS, STAGES_A_MONTH, Slo
from chat.rollout.tallies import Tally
from chat.rollout.traffic import Blips, by_day, late, steady
from chat.rollout.watches import MONTH_MINUTES

DAY_MINUTES = 1440
#: Median and p95 of first words in seconds, before and after they became late.
MEDIAN, P95_BEFORE, P95_AFTER, LIMIT = 0.7, 1.4, 2.0, 1.5

Traffic = Callable[[Slo, Random], Iterator[Tally]]


# False alarms: a month of looks, every minute, at all objectives


def at_the_limit(volume: int, slo: Slo, random: Random) -> Iterator[Tally]:
    return steady(slo.limit, volume, random)


def half_the_limit(volume: int, slo: Slo, random: Random) -> Iterator[Tally]:
    return steady(slo.limit / 2, volume, random)


def rhythm(volume: int, slo: Slo, random: Random) -> Iterator[Tally]:
    """At the limit at noon, at none at night, with a tenth of the requests."""
    return by_day(slo.limit, volume, random)


def blips(minutes: float, volume: int, slo: Slo, random: Random) -> Iterator[Tally]:
    """At half the limit on average, in bad minutes at one and a half times of it: not healthy minute by minute."""
    if slo is LOST:
        return steady(slo.limit / 2, volume, random)
    return Blips(0.4 * slo.limit, 1.5 * slo.limit, often=0.09, minutes=minutes).traffic(volume, random)


#: The worst that is healthy first, for which the most months are counted.
MONTHS: tuple[tuple[str, Traffic], ...] = (
    ("every objective at its limit, 10 requests a minute", partial(at_the_limit, 10)),
    ("every objective at its limit, 100 a minute", partial(at_the_limit, 100)),
    ("every objective at half its limit, 10 a minute", partial(half_the_limit, 10)),
    ("at the limit by day, none at night, 10 a minute", partial(rhythm, 10)),
    ("half the limit, 9 % of minutes at 1.5 times it, one in a row, 100 a minute", partial(blips, 1.1, 100)),
    ("half the limit, 9 % of minutes at 1.5 times it, five in a row, 100 a minute", partial(blips, 5.0, 100)),
)


def is_month_false(traffic: Traffic, name: str, run: int) -> bool:
    return any(is_month_alarmed(slo, traffic(slo, Random(f"{name} {slo.key} {run}"))) for slo in SLOS)


# Regressions


@dataclass(frozen=True)
class Case:
    name: str
    regression: Regression


def cases() -> list[Case]:
    before, after = late(LIMIT, MEDIAN, P95_BEFORE), late(LIMIT, MEDIAN, P95_AFTER)
    kinds = (
        ("failures 1 % → 3 %", FAILURES, 0.01, 0.03),
        (
            f"p95 of first words {P95_BEFORE} → {P95_AFTER} s ({before:.1%} → {after:.1%} late)",
            FIRST_WORDS, before, after,
        ),
        ("failures 0.2 % → 3 %", FAILURES, 0.002, 0.03),
    )
    times = (("from the start", 0), ("after a day", DAY_MINUTES), ("after a week", 7 * DAY_MINUTES))
    return [
        Case(f"{kind}, {when}", Regression(slo, low, high, 10, minutes))
        for kind, slo, low, high in kinds for when, minutes in times
    ]


def requests_to_alarm(case: Case, run: int) -> int:
    return case.regression.requests_to_alarm(Random(f"{case.name} {run}"))


# False promotions: a quarter of a month, one objective truly missed


def is_promoted_at_the_limit(slo: Slo, run: int) -> bool:
    return is_stage_promoted(slo, steady(slo.limit, 10, Random(f"promote {slo.key} {run}")), DAY_MINUTES)


def is_promoted_by_rhythm(slo: Slo, run: int) -> bool:
    """Over the limit on average, by day; under it at night, when a stage begins."""
    return is_stage_promoted(slo, by_day(1.5 * slo.limit, 10, Random(f"rhythm {slo.key} {run}")), DAY_MINUTES)


def is_worse_promoted(slo: Slo, run: int) -> bool:
    """Worse than the control cohort by the margin, and both move by the day."""
    random, margin, alpha = Random(f"worse {slo.key} {run}"), slo.margin or 0.0, FALSE_PROMOTION
    ours = by_day(slo.limit, 10, random, more=margin)
    theirs = by_day(slo.limit, 10, random)
    seen, control = Tally(), Tally()
    for minute in range(MONTH_MINUTES // STAGES_A_MONTH):
        seen, control = seen + next(ours), control + next(theirs)
        # Seldomer than the gate looks: each look is a search.
        if minute >= DAY_MINUTES and minute % 60 == 59 and is_not_worse(seen, control, margin, slo.prior, alpha):
            return True
    return False


# What is printed


def print_months(pool: ProcessPoolExecutor, runs: int) -> None:
    heading("a month of traffic", "months", "rolled back", "at most, with 97.5 % confidence")
    for number, (name, traffic) in enumerate(MONTHS):
        months = runs if number == 0 else max(runs // 4, 1)
        hits = sum(pool.map(partial(is_month_false, traffic, name), range(months), chunksize=2))
        print(f"| {name} | {months} | {hits} = {hits / months:.1%} | {highest(hits, months):.1%} |", flush=True)


def print_regressions(pool: ProcessPoolExecutor, runs: int) -> None:
    heading(f"regression ({runs} runs each)", "requests until the rollback: median", "95 of 100 within", "all within")
    for case in cases():
        found = sorted(pool.map(partial(requests_to_alarm, case), range(runs), chunksize=5))
        print(f"| {case.name} | {quantile(found, 0.5):,} | {quantile(found, 0.95):,} | {found[-1]:,} |", flush=True)


def print_promotions(pool: ProcessPoolExecutor, runs: int) -> None:
    heading(f"a stage that must not grow ({runs} stages each)", "taken for proven", "at most, with 97.5 % confidence")
    for name, how in (
        ("at its limit", is_promoted_at_the_limit),
        ("1.5 times its limit by day, none at night", is_promoted_by_rhythm),
        ("worse than the control cohort by the margin, both by the day", is_worse_promoted),
    ):
        for slo in (FIRST_WORDS, FAILURES):
            hits = sum(pool.map(partial(how, slo), range(runs), chunksize=5))
            print(f"| {slo.key}: {name} | {hits} = {hits / runs:.1%} | {highest(hits, runs):.1%} |", flush=True)


def heading(*columns: str) -> None:
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[math.ceil(share * len(ordered)) - 1]


def highest(hits: int, runs: int) -> float:
    """Clopper and Pearson's upper bound: the share with which so few hits have a chance of 2.5 %."""
    low, high = hits / runs, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        chance = sum(math.comb(runs, k) * middle**k * (1 - middle) ** (runs - k) for k in range(hits + 1))
        low, high = (middle, high) if chance > 0.025 else (low, middle)
    return high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    tables = {"regressions": print_regressions, "promotions": print_promotions, "months": print_months}
    parser.add_argument("--only", choices=tables)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        for name, print_table in tables.items():
            if options.only in (None, name):
                print_table(pool, options.runs)


if __name__ == "__main__":
    main()
