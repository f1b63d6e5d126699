"""Two cohorts side by side: a sequence for the difference of their shares, as valid at every look as those of one.

Against "ours is worse than theirs by `margin` or more": were their true share c, ours would be c + margin or more.
The fortune of a bet on ours being under c + margin times that of a bet on theirs being over c is a fair game for that
c, whoever's requests come when; the least such product over all c is evidence against every c at once. This is the
e-value for two streams of Turner, Ly, Grünwald 2024 (arXiv 2106.02693) with the sequences of `sequences`; multiplying
needs fewer requests than two intervals that must not overlap, where each costs its own share of the chance to err.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from chat.rollout.sequences import log_evidence_over, log_evidence_under
from chat.rollout.tallies import Tally

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
#: Sections of the search for the least product; halvings for a bound, to a hundred-thousandth.
SECTIONS, STEPS = 24, 18


def is_not_worse(ours: Tally, theirs: Tally, margin: float, prior: float, alpha: float) -> bool:
    """Is it shown that ours is worse by less than `margin`?"""
    return log_evidence_not_worse(ours, theirs, margin, prior) >= math.log(1 / alpha)


def difference_bounds(ours: Tally, theirs: Tally, prior: float, alpha: float) -> tuple[float, float]:
    """Of our share less theirs; each bound with its own `alpha`."""
    return -_largest(theirs, ours, prior, alpha), _largest(ours, theirs, prior, alpha)


def log_evidence_not_worse(ours: Tally, theirs: Tally, margin: float, prior: float) -> float:
    if ours.share - margin >= theirs.share:
        return 0.0

    def product(c: float) -> float:
        return log_evidence_under(ours, c + margin, prior) + log_evidence_over(theirs, c, prior)

    low = ours.share - margin - _spread(ours)
    high = theirs.share + _spread(theirs)
    return _least(product, max(low, 0.0, -margin), min(high, 1.0, 1.0 - margin))


# Internal


def _largest(ours: Tally, theirs: Tally, prior: float, alpha: float) -> float:
    low, high = ours.share - theirs.share, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_not_worse(ours, theirs, middle, prior, alpha) else (middle, high)
    return high


def _spread(seen: Tally) -> float:
    """Six standard deviations and then some: beyond, one of the two fortunes grows faster than the other falls."""
    n = max(1, seen.requests)
    return 6.0 * math.sqrt((seen.share * (1 - seen.share) + 1 / n) / n)


def _least(value: Callable[[float], float], low: float, high: float) -> float:
    """Of a function that falls and then rises: golden sections."""
    first, second = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_first, at_second, at_low = value(first), value(second), value(low)
    for _ in range(SECTIONS):
        if at_first < at_second:
            high, second, at_second = second, first, at_first
            first = high - GOLDEN * (high - low)
            at_first = value(first)
        else:
            low, first, at_first = first, second, at_second
            second = low + GOLDEN * (high - low)
            at_second = value(second)
    return min(at_first, at_second, at_low)
