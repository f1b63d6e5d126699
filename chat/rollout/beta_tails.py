"""Both tails of a beta distribution, as logarithms: the regularised incomplete beta function. Knows no statistics."""

from __future__ import annotations

import math

#: Relative; and steps after which the last value is taken (about 2 √(a + b) are needed at the worst).
PRECISION, MOST_STEPS = 1e-13, 100_000
_TINY = 1e-300


def log_tails(a: float, b: float, x: float) -> tuple[float, float]:
    """(log P(X ≤ x), log P(X > x)) of X ~ Beta(a, b)."""
    if x <= 0.0 or x >= 1.0:
        return (-math.inf, 0.0) if x <= 0.0 else (0.0, -math.inf)
    # The fraction is quick on the far side of the mean only; the other tail is what is left of one.
    if x < (a + 1.0) / (a + b + 2.0):
        below = min(0.0, _log_below(a, b, x))
        return below, _log_rest(below)
    above = min(0.0, _log_below(b, a, 1.0 - x))
    return _log_rest(above), above


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


# Internal


def _log_rest(log_share: float) -> float:
    return math.log(-math.expm1(log_share)) if log_share < 0.0 else -math.inf


def _log_below(a: float, b: float, x: float) -> float:
    front = a * math.log(x) + b * math.log1p(-x) - log_beta(a, b) - math.log(a)
    return front - math.log(_fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of NIST DLMF 8.17.22 by Lentz's method: 1 + d1 / (1 + d2 / (1 + …))."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, MOST_STEPS):
        m, is_odd = divmod(step, 2)
        if is_odd:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / ((1.0 + term * d) or _TINY)
        c = (1.0 + term / c) or _TINY
        value *= c * d
        if abs(c * d - 1.0) < PRECISION:
            break
    return value
