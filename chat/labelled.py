"""A metric's child by its labels, remembered: to find it costs more than to count, and an answer counts thirty times.

For labels of which there are few: paths, cohorts, stages, routes, codes.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


@cache
def labelled(metric: M, *labels: str) -> M:
    """As `metric.labels(*labels)`."""
    return metric.labels(*labels)
