"""K1 to K3 as they happen, in histograms that many processes can add up; from traces they are exact, a while later.

Noted once an answer, off its way. A figure that the other side corrects later is not taken back here: what the
server saw (`source` server) and what browsers reported (`source` browser) stand beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from prometheus_client import CollectorRegistry, Counter, Histogram

from chat.figures import Figures
from chat.labelled import note
from chat.models import Trace
from chat.stages.cohorts import LOAD

#: The limits of K1 and K2 are among them, so that the late share is exact.
WORDS_BUCKETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0)
WHOLE_BUCKETS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
QUANTILES = (0.5, 0.95, 0.99)
_WAY = ["path", "cohort"]
NOTHING = Figures()

FIRST_WORDS = Histogram(
    "soksak_first_words_seconds", "K1: to the first words.", [*_WAY, "source"], buckets=WORDS_BUCKETS
)
COMPLETION = Histogram(
    "soksak_completion_seconds", "K2: to the end of a finished answer.", [*_WAY, "source"], buckets=WHOLE_BUCKETS
)
SENDS = Counter("soksak_sends_total", "Requests for an answer.", _WAY)
FAILED = Counter("soksak_sends_failed_total", "K3: sends that failed, by term.", [*_WAY, "term"])
LEFT = Counter("soksak_sends_left_total", "K4: sends whose reader left, by state.", [*_WAY, "state"])


def sent(trace: Trace) -> None:
    note(SENDS, trace.path, trace.cohort)


def seen(trace: Trace, found: Trace | Figures, source: str) -> None:
    """The times that were found of the trace, as this side has them."""
    way = (trace.path, trace.cohort, source)
    if found.ttft_ms is not None and found.ttft_source == source:
        note(FIRST_WORDS, *way, value=found.ttft_ms / 1000)
    if found.completion_ms is not None and (source == "server" or "end" in trace.client_marks):
        note(COMPLETION, *way, value=found.completion_ms / 1000)


def went_wrong(trace: Trace, found: Trace | Figures, *, since: Figures = NOTHING) -> None:
    """What had not been known of it before."""
    if found.failure and not since.failure:
        note(FAILED, trace.path, trace.cohort, found.failure)
    if found.abandoned and not since.abandoned:
        note(LEFT, trace.path, trace.cohort, found.abandoned)


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Live:
    """Since the processes that are scraped together began. A quantile above the last bucket is infinite."""

    name: str
    path: str
    source: str
    count: int
    seconds: tuple[float, float, float]


def read(registry: CollectorRegistry) -> list[Live]:
    """All cohorts of a path together, but for a load test's."""
    found: dict[tuple[str, str, str], dict[float, float]] = {}
    for metric in registry.collect():
        if metric.name not in ("soksak_first_words_seconds", "soksak_completion_seconds"):
            continue
        for sample in metric.samples:
            if sample.name.endswith("_bucket") and sample.labels["cohort"] != LOAD:
                key = (metric.name, sample.labels["path"], sample.labels["source"])
                bound = float(sample.labels["le"])
                buckets = found.setdefault(key, {})
                buckets[bound] = buckets.get(bound, 0.0) + sample.value
    return list(_quantiles(sorted(found.items())))


def quantile(buckets: Iterable[tuple[float, float]], share: float) -> float:
    """Within a bucket as if spread evenly, as PromQL's histogram_quantile has it. Cumulative, by bound, not empty."""
    ordered = sorted(buckets)
    rank = ordered[-1][1] * share
    low, before = 0.0, 0.0
    for bound, count in ordered:
        if count >= rank and count > before:
            return inf if bound == inf else low + (bound - low) * (rank - before) / (count - before)
        low, before = bound, count
    return inf


def _quantiles(found: list[tuple[tuple[str, str, str], dict[float, float]]]) -> Iterator[Live]:
    for (name, path, source), buckets in found:
        if count := int(buckets.get(inf, 0)):
            p50, p95, p99 = (quantile(buckets.items(), share) for share in QUANTILES)
            yield Live(name, path, source, count, (p50, p95, p99))
