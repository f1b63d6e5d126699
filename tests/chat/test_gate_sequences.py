"""The bounds of one share and of two: exact where they can be counted out, by simulation where they are looked at."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from chat.rollout.beta_tails import log_tails
from chat.rollout.differences import difference_bounds, is_not_worse, log_evidence_not_worse
from chat.rollout.sequences import (
    is_over,
    is_under,
    log_evidence_over,
    log_evidence_under,
    lower_bound,
    upper_bound,
)
from chat.rollout.tallies import Tally

PRIOR, ALPHA = 10.0, 0.05


SEEN = (Tally(0, 0), Tally(1, 1), Tally(1, 0), Tally(50, 50), Tally(4000, 37), Tally(10**7, 3))


def chance(tally: Tally, share: float) -> float:
    """Of exactly so many bad ones."""
    n, k = tally.requests, tally.bad
    return math.comb(n, k) * share**k * (1 - share) ** (n - k)


def outcomes(n: int) -> list[Tally]:
    return [Tally(n, k) for k in range(n + 1)]


@pytest.mark.parametrize(("k", "n", "x"), [(3, 10, 0.3), (0, 5, 0.1), (40, 1000, 0.05), (60, 1000, 0.03), (9, 10, 0.2)])
def test_the_tails_are_those_of_counting(k: int, n: int, x: float) -> None:
    at_most = sum(chance(Tally(n, j), x) for j in range(k + 1))
    below, above = log_tails(k + 1, n - k, x)
    assert math.exp(above) == pytest.approx(at_most, rel=1e-9)
    assert math.exp(below) == pytest.approx(1 - at_most, rel=1e-6)


def test_the_tails_stay_exact_where_they_are_tiny() -> None:
    # P(Beta(1, b) > x) = (1 - x)^b, P(Beta(a, 1) <= x) = x^a
    assert log_tails(1, 900, 0.9)[1] == pytest.approx(900 * math.log(0.1))
    assert log_tails(900, 1, 0.1)[0] == pytest.approx(900 * math.log(0.1))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.4])
def test_a_bet_is_fair_at_the_share_itself_and_worse_beyond(share: float) -> None:
    def expected(bet: Callable[[Tally, float, float], float], truth: float) -> float:
        return sum(chance(seen, truth) * math.exp(bet(seen, share, PRIOR)) for seen in outcomes(60))

    assert expected(log_evidence_over, share) == pytest.approx(1.0, rel=1e-9)
    assert expected(log_evidence_under, share) == pytest.approx(1.0, rel=1e-9)
    assert expected(log_evidence_over, 0.8 * share) < 1.0
    assert expected(log_evidence_under, 1.2 * share) < 1.0


def test_a_bet_is_the_average_ratio_over_its_side_of_the_prior() -> None:
    seen, share, steps = Tally(200, 9), 0.02, 100_000
    widths = [(share + (1 - share) * (i + 0.5) / steps) for i in range(steps)]
    weights = [(1 - q) ** (PRIOR - 1) for q in widths]
    ratios = [(q / share) ** 9 * ((1 - q) / (1 - share)) ** 191 for q in widths]
    average = sum(map(math.prod, zip(weights, ratios, strict=True))) / sum(weights)
    assert log_evidence_over(seen, share, PRIOR) == pytest.approx(math.log(average), abs=1e-4)


@pytest.mark.parametrize("seen", SEEN)
def test_bounds_hold_the_observed_share_and_agree_with_the_tests(seen: Tally) -> None:
    low, high = lower_bound(seen, PRIOR, ALPHA), upper_bound(seen, PRIOR, ALPHA)
    assert 0.0 <= low <= seen.share <= high <= 1.0
    if seen.bad:
        assert is_over(seen, low * 0.999, PRIOR, ALPHA)
        assert not is_over(seen, low * 1.001, PRIOR, ALPHA)
    if high < 0.99:
        assert is_under(seen, high * 1.001, PRIOR, ALPHA)
        assert not is_under(seen, high * 0.999, PRIOR, ALPHA)


def test_known_bounds() -> None:
    """Of 1 % with the prior of a limit of 1 %; they are wider than one look's, which is the price of many."""
    low, high = lower_bound(Tally(3000, 30), 33.3, 0.05), upper_bound(Tally(3000, 30), 33.3, 0.05)
    assert (round(low, 5), round(high, 5)) == (0.00528, 0.01634)
    assert low < 0.0072 < 0.0135 < high  # a single look's 90 %


def test_bounds_close_in() -> None:
    tallies = [Tally(n, n // 50) for n in (100, 1000, 10_000, 100_000)]
    widths = [upper_bound(seen, PRIOR, ALPHA) - lower_bound(seen, PRIOR, ALPHA) for seen in tallies]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.004


def missed(share: float, *, by: Callable[[Tally], bool], runs: int = 300, looks: int = 1000) -> float:
    """In what share of runs `by` was ever true, with a look at every request."""
    hits = 0
    for run in range(runs):
        random, bad = Random(f"{run}"), 0
        for n in range(1, looks + 1):
            bad += random.random() < share
            if by(Tally(n, bad)):
                hits += 1
                break
    return hits / runs


def naive_is_over(seen: Tally, share: float) -> bool:
    return seen.requests >= 30 and (seen.share - share) / math.sqrt(share * (1 - share) / seen.requests) > 1.645


def test_looking_at_every_request_misses_no_more_than_it_may() -> None:
    share, allowed = 0.05, ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / 300)
    over = missed(share, by=lambda seen: is_over(seen, share, PRIOR, ALPHA))
    under = missed(share, by=lambda seen: is_under(seen, share, PRIOR, ALPHA))
    assert 0.0 < over <= allowed
    assert 0.0 < under <= allowed
    # The same looks at a bound made for one look; and at ours with the wrong α.
    assert missed(share, by=lambda seen: naive_is_over(seen, share)) > 3 * allowed
    assert missed(share, by=lambda seen: is_over(seen, share, PRIOR, 5 * ALPHA)) > allowed


def test_a_share_that_moves_below_the_limit_is_never_over_it_more_often() -> None:
    """Hours of 0.1 % and hours of 5 %: healthy all the same, and no mixture of both sides would hold that."""
    hits = 0
    for run in range(300):
        random, bad = Random(f"moving {run}"), 0
        for n in range(1, 1001):
            bad += random.random() < (0.001 if n % 400 < 200 else 0.05)
            if is_over(Tally(n, bad), 0.05, PRIOR, ALPHA):
                hits += 1
                break
    assert hits / 300 <= ALPHA


@pytest.mark.parametrize(("ours", "theirs"), [(0.1, 0.05), (0.3, 0.25), (0.5, 0.2)])
def test_two_cohorts_bet_fairly_on_not_being_worse(ours: float, theirs: float) -> None:
    expected = sum(
        chance(mine, ours) * chance(other, theirs) * math.exp(log_evidence_not_worse(mine, other, 0.05, PRIOR))
        for mine in outcomes(20) for other in outcomes(20)
        if log_evidence_not_worse(mine, other, 0.05, PRIOR) > 0.0
    )
    assert expected <= 1.0


def test_the_least_product_is_found() -> None:
    random = Random(7)
    for _ in range(20):
        ours, theirs = (Tally(n, int(n * random.random() * 0.1)) for n in (random.randint(50, 9000) for _ in "ab"))
        grid = [i / 1000 * 0.3 for i in range(1, 1000)]
        least = min(log_evidence_under(ours, c + 0.025, 6.0) + log_evidence_over(theirs, c, 6.0) for c in grid)
        found = log_evidence_not_worse(ours, theirs, 0.025, 6.0)
        assert found <= max(0.0, least) + 0.01


def test_a_difference_lies_within_its_bounds() -> None:
    low, high = difference_bounds(Tally(5000, 250), Tally(2000, 300), 6.0, ALPHA)
    assert low < 0.05 - 0.15 < high < 0.0
    assert is_not_worse(Tally(5000, 250), Tally(2000, 300), high + 1e-4, 6.0, ALPHA)
    mirrored = difference_bounds(Tally(2000, 300), Tally(5000, 250), 6.0, ALPHA)
    assert mirrored == pytest.approx((-high, -low), abs=1e-4)


def test_nothing_is_not_worse_than_nothing() -> None:
    assert not is_not_worse(Tally(), Tally(), 0.025, 6.0, ALPHA)
    assert not is_not_worse(Tally(20, 0), Tally(), 0.025, 6.0, ALPHA)


@pytest.mark.parametrize(("requests", "bad"), [(1, 2), (1, -1), (-1, -1), (-1, 0)])
def test_a_tally_cannot_be_absurd(requests: int, bad: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Tally(requests, bad)
