"""A metric's child by its labels, remembered: to find it costs more than to count, and an answer counts thirty times.

For labels of which there are few: paths, cohorts, stages, routes, codes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


@cache
def labelled(metric: M, *labels: str) -> M:
    """As `metric.labels(*labels)`."""
    return metric.labels(*labels)


def observe_all(child: Histogram, values: Sequence[float]) -> None:
    """As `child.observe` of each: its buckets and its sum are told once for all of them."""
    bounds = child._upper_bounds
    for at, count in Tally([bisect_left(bounds, value) for value in values]).items():
        child._buckets[at].inc(count)
    child._sum.inc(sum(values))
