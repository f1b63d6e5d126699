"""Exact quantiles, of a column in the database or of values at hand: nearest rank, on SQLite as on Postgres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from chat.kpi.intervals import quantile_ranks
from chat.models import Trace


@dataclass(frozen=True, slots=True)
class Quantiles:
    """In milliseconds. The bounds of p95 are None where there are too few values to have them."""

    count: int
    p50: float
    p95: float
    p99: float
    p95_low: float | None
    p95_high: float | None

    def verdict(self, limit_ms: float) -> str:
        """`met` and `missed` only where the interval says so too."""
        if self.p95_high is not None and self.p95_high <= limit_ms:
            return "met"
        return "missed" if self.p95_low is not None and self.p95_low > limit_ms else "open"


def quantiles_of(values: Iterable[float]) -> Quantiles | None:
    """Of values that are at hand. None: there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    low, p95, high = quantile_ranks(len(ordered), 0.95)
    p50, p99 = (ordered[quantile_ranks(len(ordered), quantile)[1] - 1] for quantile in (0.5, 0.99))
    bounds = (None if rank is None else ordered[rank - 1] for rank in (low, high))
    return Quantiles(len(ordered), p50, ordered[p95 - 1], p99, *bounds)


def quantiles(rows: QuerySet[Trace], column: str, count: int) -> Quantiles | None:
    """Of the rows whose column is not null, `count` of them. None: there are none."""
    if not count:
        return None
    low, p95, high = quantile_ranks(count, 0.95)
    ranks = [quantile_ranks(count, 0.5)[1], p95, quantile_ranks(count, 0.99)[1], low, high]
    sorted_rows = rows.filter(**{f"{column}__isnull": False}).order_by()
    ranked = sorted_rows.annotate(rank=Window(RowNumber(), order_by=F(column).asc()))
    wanted = {rank for rank in ranks if rank is not None}
    at = dict(ranked.filter(rank__in=wanted).values_list("rank", column))
    found = [None if rank is None else at.get(rank) for rank in ranks]
    if found[0] is None or found[1] is None or found[2] is None:
        return None  # Rows were deleted since they were counted.
    return Quantiles(count, found[0], found[1], found[2], found[3], found[4])
