"""A metric's child by its labels, remembered: to find it costs more than to count, and an answer counts thirty times.

For labels of which there are few: paths, cohorts, stages, routes, codes. What may be told a moment later is noted, and
told with the rest: many at once cost less than each by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import TypeVar

from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)
T = TypeVar("T")
#: In no metric of this process yet. Filled and emptied from any thread.
_noted: deque[tuple[Counter | Histogram, tuple[str, ...], float]] = deque()
#: Who will note something.
_noting: deque[Callable[[], None]] = deque()


@cache
def labelled(metric: M, *labels: str) -> M:
    """As `metric.labels(*labels)`."""
    return metric.labels(*labels)


def note(metric: Counter | Histogram, *labels: str, value: float = 1.0) -> None:
    """Have `value` counted, or observed, with the next `tell_noted`."""
    _noted.append((metric, labels, value))


def note_later(noting: Callable[[], None]) -> None:
    """Have it called before the next `tell_noted`, among others like it."""
    _noting.append(noting)


def tell_noted() -> None:
    """Called by whoever writes traces, every two seconds or so, and after what somebody may want to see at once."""
    for noting in _emptied(_noting):
        noting()
    found: defaultdict[tuple[Counter | Histogram, tuple[str, ...]], list[float]] = defaultdict(list)
    for metric, labels, value in _emptied(_noted):
        found[metric, labels].append(value)
    for (metric, labels), values in found.items():
        if isinstance(metric, Histogram):
            observe_all(labelled(metric, *labels), values)
        else:
            labelled(metric, *labels).inc(sum(values))


def _emptied(queue: deque[T]) -> Iterator[T]:
    """Each that is there, once, whoever else empties it too."""
    with suppress(IndexError):
        while True:
            yield queue.popleft()


def observe_all(child: Histogram, values: Sequence[float]) -> None:
    """As `child.observe` of each: its buckets and its sum are told once for all of them."""
    bounds = child._upper_bounds
    for at, count in Tally([bisect_left(bounds, value) for value in values]).items():
        child._buckets[at].inc(count)
    child._sum.inc(sum(values))
