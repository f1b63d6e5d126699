"""Confidence sequences for one share: bounds that hold at every look at once, so one may look as often as one likes.

For a share p0, `log_evidence_over` is the logarithm of the fortune of somebody who bets against "the share is p0 or
less", at fair odds, with the likelihood ratio of q to p0 averaged over a Beta(1, b) of q cut to q > p0. A single such
ratio multiplies, with each request, by 1 + λ (x - p0) for a fixed λ ≥ 0, so its expectation does not grow while each
request's chance of being bad, given all before it, is at most p0: neither equal chances nor independence is needed.
The mixture inherits that, and by Ville's inequality it ever reaches 1/α with a chance of at most α. The shares that
are not rejected form the confidence sequence. `log_evidence_under` is its mirror image.

State is (requests, bad). Batches are no matter: a bound that holds after each request holds after each minute.

Sources: Robbins 1970 (mixtures); Howard, Ramdas, McAuliffe, Sekhon 2021, Annals of Statistics 49(2) (sequences,
one-sided beta-binomial mixture); Waudby-Smith, Ramdas 2024, JRSS-B 86(1) (betting); Lindon, Sanden, Shirikian 2022,
arXiv 2205.14762 (the use on software rollouts).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from chat.rollout.beta_tails import log_beta, log_tails
from chat.rollout.tallies import Tally

#: Of a bound, relative to it; and the halvings after which it is good enough anyway.
PRECISION, MOST_STEPS = 1e-5, 64


def is_over(seen: Tally, share: float, prior: float, alpha: float) -> bool:
    """Does the lower bound lie over `share`?"""
    wanted = math.log(1 / alpha)
    # No mixture of ratios beats the best ratio; this settles nearly every look without the integral.
    if seen.share <= share or log_best_ratio(seen, share) < wanted:
        return False
    return log_evidence_over(seen, share, prior) >= wanted


def is_under(seen: Tally, share: float, prior: float, alpha: float) -> bool:
    """Does the upper bound lie at or under `share`?"""
    wanted = math.log(1 / alpha)
    if seen.share >= share or log_best_ratio(seen, share) < wanted:
        return False
    return log_evidence_under(seen, share, prior) >= wanted


def lower_bound(seen: Tally, prior: float, alpha: float) -> float:
    if not seen.bad:
        return 0.0
    wanted = math.log(1 / alpha)
    return halved(0.0, seen.share, lambda share: log_evidence_over(seen, share, prior) >= wanted)[0]


def upper_bound(seen: Tally, prior: float, alpha: float) -> float:
    wanted = math.log(1 / alpha)
    return halved(seen.share, 1.0, lambda share: log_evidence_under(seen, share, prior) < wanted)[1]


def log_evidence_over(seen: Tally, share: float, prior: float) -> float:
    """Against "the share is `share` or less"."""
    if share <= 0.0 or share >= 1.0:
        return math.inf if seen.bad and share <= 0.0 else 0.0
    return _log_average(seen, share, prior, side=1) - prior * math.log1p(-share)


def log_evidence_under(seen: Tally, share: float, prior: float) -> float:
    """Against "the share is `share` or more"."""
    if share <= 0.0 or share >= 1.0:
        return math.inf if seen.bad < seen.requests and share >= 1.0 else 0.0
    return _log_average(seen, share, prior, side=0) - math.log(-math.expm1(prior * math.log1p(-share)))


def log_best_ratio(seen: Tally, share: float) -> float:
    """Of the observed share to `share`: the likeliest of all."""
    good = seen.requests - seen.bad
    log_bad = seen.bad * math.log(seen.share / share) if seen.bad else 0.0
    return log_bad + (good * math.log((1 - seen.share) / (1 - share)) if good else 0.0)


def halved(low: float, high: float, is_low: Callable[[float], bool]) -> tuple[float, float]:
    """The two ends between which `is_low` changes from true to false. Small shares are halved by ratio."""
    for _ in range(MOST_STEPS):
        if high - low <= PRECISION * high:
            break
        middle = (low + high) / 2 if low > 0.0 else high / 8
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return low, high


# Internal


def _log_average(seen: Tally, share: float, prior: float, side: int) -> float:
    """Of the likelihood ratio over the part of the prior on one side of `share`, not yet divided by that part."""
    a, b = 1.0 + seen.bad, prior + seen.requests - seen.bad
    average = log_beta(a, b) - log_beta(1.0, prior) + log_tails(a, b, share)[side]
    return average - seen.bad * math.log(share) - (seen.requests - seen.bad) * math.log1p(-share)
