"""The watch for a change: a fair game at the limit, and sooner than the stage as a whole."""

from __future__ import annotations

import math
from itertools import islice, pairwise
from random import Random

import msgspec
import pytest

from chat.rollout.slos import ALPHA, FAILURES, LOST, SLOS, Slo
from chat.rollout.tallies import Tally
from chat.rollout.traffic import Blips, steady
from chat.rollout.watches import ENOUGH, MONTH_MINUTES, Watch


def fed(*minutes: tuple[Tally, float], slo: Slo = FAILURES) -> Watch:
    watch = Watch()
    for tally, passed in minutes:
        watch.feed(tally, passed, slo)
    return watch


def expected(share: float, steps: int, passed: float) -> float:
    """Of the fortune after so many minutes of one to three requests each, every course counted out."""
    courses = [(1.0, Watch())]
    for step in range(steps):
        n = 1 + step % 3
        following = []
        for weight, watch in courses:
            for k in range(n + 1):
                one = Watch(watch.spent, list(watch.sums))
                one.feed(Tally(n, k), passed, FAILURES)
                following.append((weight * math.comb(n, k) * share**k * (1 - share) ** (n - k), one))
        courses = following
    return sum(weight * watch.fortune() for weight, watch in courses)


def test_it_is_fair_at_the_limit_and_loses_below() -> None:
    assert expected(FAILURES.limit, 7, 300.0) == pytest.approx(1.0, rel=1e-9)
    assert expected(FAILURES.limit / 2, 7, 300.0) < 1.0


def test_it_stays_fair_when_trouble_is_looked_at_late() -> None:
    """The pause before a look is the longer the worse what it brings: the stake must not bet on what is known."""
    share, courses = FAILURES.limit, [(1.0, Watch())]
    for _ in range(4):
        following = []
        for weight, watch in courses:
            for k in range(3):
                one = Watch(watch.spent, list(watch.sums))
                one.feed(Tally(2, k), 1.0 + 4_000.0 * k, FAILURES)
                following.append((weight * math.comb(2, k) * share**k * (1 - share) ** (2 - k), one))
        courses = following
    assert sum(weight * watch.fortune() for weight, watch in courses) == pytest.approx(1.0, rel=1e-9)


def test_it_doubts_the_healthy_no_oftener_than_it_may() -> None:
    """A fortune of 20 comes with a chance of at most 1/20; what is bad has it soon."""
    def ever(share: float, run: int) -> bool:
        watch = Watch()
        for tally in islice(steady(share, 10, Random(f"{share} {run}")), 2000):
            # The stake of half a month in the time, so that there is something to win.
            watch.feed(tally, MONTH_MINUTES / 4000, FAILURES)
            if watch.fortune() >= 20:
                return True
        return False

    runs = 100
    allowed = runs * 0.05 + 2 * math.sqrt(runs * 0.05 * 0.95)
    assert 0 < sum(ever(FAILURES.limit, run) for run in range(runs)) <= allowed
    # It can tell: a quarter over the limit is found often.
    assert sum(ever(1.25 * FAILURES.limit, run) for run in range(20)) > 10


def test_silence_is_no_evidence() -> None:
    watch = fed((Tally(500, 9), 1.0))
    before = watch.fortune()
    for _ in range(1000):
        watch.feed(Tally(), 1.0, FAILURES)
    assert watch.fortune() == pytest.approx(before)


def test_stakes_go_by_the_clock_and_not_by_the_looks() -> None:
    often, seldom = fed(*[(Tally(), 0.1)] * 600), fed(*[(Tally(), 1.0)] * 60)
    assert often.spent == pytest.approx(seldom.spent) == pytest.approx(60 / MONTH_MINUTES)


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    watch = fed((Tally(10, 0), 5.0), (Tally(10, 0), -400.0))
    assert watch.spent == pytest.approx(5 / MONTH_MINUTES)
    assert watch.since_minutes >= 0.0


def test_a_new_month_begins_with_a_new_stake() -> None:
    watch = fed((Tally(1000, 10), MONTH_MINUTES), (Tally(10, 0), 1.0))
    assert watch.spent == pytest.approx(1 / MONTH_MINUTES)


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.key)
def test_numbers_stay_numbers(slo: Slo) -> None:
    watch = Watch()
    for tally in (Tally(10**7, 10**7), Tally(10**9, 0), Tally(1, 1), Tally(10**8, 10**8)):
        watch.feed(tally, 1.0, slo)
        assert 0.0 <= watch.fortune() <= len(slo.steps) * ENOUGH + 1.0
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(watch)), Watch) == watch


def test_it_tells_since_when() -> None:
    watch = fed(*[(Tally(100, 1), 1.0)] * 500, *[(Tally(100, 4), 1.0)] * 12)
    assert watch.since == Tally(1200, 48)
    assert watch.since_minutes == 12
    watch = fed(*[(Tally(100, 4), 1.0)] * 3, *[(Tally(100, 0), 1.0)] * 30)
    assert watch.since == Tally()


def test_after_a_long_good_time_it_sees_what_the_whole_does_not() -> None:
    watch = fed((Tally(10**6, 5000), 10_000.0), *[(Tally(100, 3), 1.0)] * 30)
    assert watch.fortune() >= 1 / ALPHA


def test_a_few_lost_answers_suffice_late_too() -> None:
    watch = fed((Tally(10**6, 0), 10_000.0), *[(Tally(100, 1), 1.0), (Tally(900, 0), 9.0)] * 3, slo=LOST)
    assert watch.fortune() >= 1 / ALPHA


def test_blips_are_as_often_and_as_long_as_they_say() -> None:
    blips = Blips(calm=0.0, bad=1.0, often=0.1, minutes=4.0)
    seen = [tally.bad for tally in islice(blips.traffic(1, Random("b")), 40_000)]
    starts = sum(1 for before, now in pairwise(seen) if now > before)
    assert sum(seen) / len(seen) == pytest.approx(0.1, abs=0.01)
    assert sum(seen) / starts == pytest.approx(4.0, rel=0.1)
