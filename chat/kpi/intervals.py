"""Confidence intervals at 95 % for what is shown. Pure; for looking at once: the rollout's gate has its own kind.

Wilson's for a share, Newcombe's for a difference of shares (1998, method 10), Katz's for a ratio with a half added
to each cell (Walter), order statistics for a quantile, which needs no assumption about the times at all.
"""

from __future__ import annotations

from math import ceil, exp, floor, sqrt
from typing import NamedTuple

Z = 1.959964


class Estimate(NamedTuple):
    """A value with its bounds."""

    value: float
    low: float
    high: float


def share(count: int, of: int) -> Estimate | None:
    """None: nothing to take a share of."""
    if of <= 0:
        return None
    value, spread = count / of, Z * Z / of
    middle = (value + spread / 2) / (1 + spread)
    reach = Z * sqrt(value * (1 - value) / of + spread / (4 * of)) / (1 + spread)
    return Estimate(value, max(0.0, middle - reach), min(1.0, middle + reach))


def difference(count: int, of: int, other: int, other_of: int) -> Estimate | None:
    """Of the first share less the second."""
    first, second = share(count, of), share(other, other_of)
    if first is None or second is None:
        return None
    value = first.value - second.value
    return Estimate(
        value,
        value - sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2),
        value + sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2),
    )


def reduction(count: int, of: int, other: int, other_of: int) -> Estimate | None:
    """By which part the first share is smaller than the second: 0.3 is 30 % less. None: nothing to compare."""
    if of <= 0 or other_of <= 0:
        return None
    cells = (count + 0.5, of + 0.5, other + 0.5, other_of + 0.5)
    ratio = (cells[0] / cells[1]) / (cells[2] / cells[3])
    reach = Z * sqrt(max(0.0, 1 / cells[0] - 1 / cells[1] + 1 / cells[2] - 1 / cells[3]))
    return Estimate(1 - ratio, 1 - ratio * exp(reach), 1 - ratio * exp(-reach)) if ratio else None


def percent(of: Estimate | None, digits: int = 1) -> str:
    if of is None:
        return "–"
    return f"{of.value:.{digits}%} [{of.low:.{digits}%}, {of.high:.{digits}%}]"


def quantile_ranks(count: int, quantile: float) -> tuple[int | None, int, int | None]:
    """Ranks, from 1, of the quantile and its bounds among `count` sorted values; None: too few to say."""
    middle = min(max(ceil(count * quantile - 1e-9), 1), count)
    reach = Z * sqrt(count * quantile * (1 - quantile))
    low, high = floor(count * quantile - reach), ceil(count * quantile + reach) + 1
    return (low if low >= 1 else None, middle, high if high <= count else None)
