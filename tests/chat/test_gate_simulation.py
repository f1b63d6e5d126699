"""The gate on traffic whose truth is known, briefly: docs/ROLLOUT.md has the long run of the same functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from random import Random

import pytest

from chat.rollout.evidence import Seen
from chat.rollout.simulation import Promotion, minutes_to_alarm, quick_minutes_to_alarm
from chat.rollout.slos import FAILURES, FIRST_WORDS, SLOS, Slo
from chat.rollout.tallies import Tally
from chat.rollout.traffic import Blips, by_day, late, steady
from tests.bench.gate import (
    MONTHS,
    Case,
    cases,
    is_month_false,
    is_promoted_at_the_limit,
    requests_to_alarm,
)

#: What docs/ROLLOUT.md promises: 95 of 100 are found within so many requests.
PROMISED = {FAILURES: 2_300, FIRST_WORDS: 1_000}

# Runs are the long run's first ones, each seeded by its number: they come out alike every time. How many there are,
# and how many may be wrong, is such that a gate which errs twice as often as it may is seldom taken for a right one.


def later(slo: Slo, random: Random) -> Iterator[Tally]:
    """It goes from a third of the limit to three times it."""
    return chain(islice(steady(slo.limit / 3, 10, random), 500), steady(3 * slo.limit, 10, random))


SAME: dict[str, Callable[[Slo, Random], Iterator[Tally]]] = {
    "half the limit": lambda slo, random: steady(0.5 * slo.limit, 30, random),
    "at the limit": lambda slo, random: steady(slo.limit, 30, random),
    "over the limit": lambda slo, random: steady(1.6 * slo.limit, 30, random),
    "over the limit by day": lambda slo, random: by_day(2.5 * slo.limit, 10, random),
    "over the limit later": later,
}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.key)
@pytest.mark.parametrize("name", SAME)
def test_the_quick_simulation_is_the_gate(slo: Slo, name: str) -> None:
    """Alarm for alarm, at the same minute, or none."""
    for run in range(3):
        traffic = [SAME[name](slo, Random(f"same {run}")) for _ in range(2)]
        slow = minutes_to_alarm(slo, Seen(), traffic[0], 2000)
        assert quick_minutes_to_alarm(slo, traffic[1], 2000) == slow


@pytest.mark.parametrize(("number", "runs", "most"), [
    # A gate that is wrong in 10 % of months passes all four with a chance of 2.4 %: P(Bin(20, 0.1) <= 1)^4.
    *(pytest.param(0, range(first, first + 20), 1, id=f"at the limit, {first}") for first in (0, 20, 40, 60)),
    # And these two with 4.7 %: 0.9^29.
    *(pytest.param(3, runs, 0, id=f"at the limit by day, {runs[0]}") for runs in (range(15), range(15, 29))),
])
def test_a_month_of_looking_does_not_roll_back_what_is_healthy(number: int, runs: range, most: int) -> None:
    name, traffic = MONTHS[number]
    assert sum(map(partial(is_month_false, traffic, name), runs)) <= most


@pytest.mark.parametrize("case", cases()[:6], ids=lambda case: case.name)
def test_a_regression_is_found_within_the_requests_that_are_promised(case: Case) -> None:
    """A gate that finds but 85 of 100 in time passes with a chance of 2.7 %: P(Bin(100, 0.15) <= 8)."""
    late_ones = [run for run in range(100) if requests_to_alarm(case, run) > PROMISED[case.regression.slo]]
    assert len(late_ones) <= 8


def test_the_regression_of_p95_is_what_its_name_says() -> None:
    """p95 = 1.4 s is within the limit of 5 % later than 1.5 s, p95 = 2.0 s is not."""
    assert late(1.5, 0.7, 1.4) < 0.05 < late(1.5, 0.7, 2.0)
    assert late(1.4, 0.7, 1.4) == pytest.approx(0.05)


@pytest.mark.parametrize("slo", [FIRST_WORDS, FAILURES], ids=lambda slo: slo.key)
def test_a_stage_at_its_limit_is_seldom_taken_for_proven(slo: Slo) -> None:
    """A gate that takes 10 % for proven passes with a chance of 4.9 %: P(Bin(61, 0.1) <= 2)."""
    assert sum(is_promoted_at_the_limit(slo, run) for run in range(61)) <= 2


@pytest.mark.parametrize("slo", [FIRST_WORDS, FAILURES], ids=lambda slo: slo.key)
def test_what_is_healthy_is_proven_before_long(slo: Slo) -> None:
    promotion = Promotion(slo, slo.limit / 5, slo.limit / 5)
    found = [promotion.requests_to_proof(Random(f"proof {run}")) for run in range(5)]
    assert all(requests is not None and requests <= 6_000 for requests in found), found


def test_a_day_has_a_night_and_a_blip_an_end() -> None:
    day = [tally for tally, _ in zip(by_day(0.5, 100, Random("day")), range(1440), strict=False)]
    assert sum(tally.bad for tally in day[:60]) < 5 < sum(tally.bad for tally in day[720:780]) / 60
    assert day[0].requests < day[720].requests == 100
    minutes = zip(Blips(0.0, 1.0, 0.1, 2.0).traffic(1, Random("blip")), range(2000), strict=False)
    assert 100 < sum(tally.bad for tally, _ in minutes) < 300
