"""Figures that compare a subject with itself: under more load than it carries, and without its instrumentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from statistics import fmean, geometric_mean, median
from typing import NamedTuple

from tests.bench.capacity import TOKEN_LIMIT_MS
from tests.bench.plan import Cell
from tests.bench.rows import Row, times, verdict

TOLD_MS = 100.0
#: What two cells of one subject differ by on a quiet machine.
NOISE_TIMES = 1.1
INSTRUMENTATION_TIMES, INSTRUMENTATION_MS = 1.03, 1.0
SILENT = " uninstrumented"
#: Of the two in a pair: which is started first, and whose load.
ORDERS = 4


class Judgement(NamedTuple):
    """`word`: reached, NOT REACHED, or why it cannot be said."""

    word: str
    subject: str
    what: str
    figure: str
    target: str
    note: str


def overload(cells: Sequence[Cell]) -> Iterator[Judgement]:
    found = [cell for cell in cells if cell.what == "overload"]
    for name in dict.fromkeys(cell.subject for cell in found):
        measure, *loaded = sorted((cell for cell in found if cell.subject == name), key=lambda cell: cell.streams)
        for cell in loaded:
            yield from _overloaded(cell, measure)


def _overloaded(cell: Cell, measure: Cell) -> Iterator[Judgement]:
    row, seen = Row((cell,)), cell.seen
    at = f"{cell.streams} streams, {cell.calls_most} admitted"
    token = seen.token_ms[1]
    yield Judgement(
        verdict(bool(seen.tokens) and token <= TOKEN_LIMIT_MS, row), cell.subject, f"added token p95 of these, {at}",
        f"{token:.1f} ms (with {measure.streams}: {measure.seen.token_ms[1]:.1f})", f"≤ {TOKEN_LIMIT_MS:g} ms", "",
    )
    told = max(seen.waiting_ms, seen.refused_ms)
    has_told = bool(seen.waiting_count + seen.refused_count)
    yield Judgement(
        verdict(has_told and told <= TOLD_MS, row), cell.subject, f"told to wait or refused, p95, {at}",
        f"{seen.waiting_ms:.1f} / {seen.refused_ms:.1f} ms ({seen.waiting_count} / {seen.refused_count} times)",
        f"≤ {TOLD_MS:g} ms", "",
    )
    ratio = times(row, Row((measure,))) or 0.0
    yield Judgement(
        verdict(ratio <= NOISE_TIMES, row), cell.subject, f"CPU a token, {at}",
        f"{ratio:.2f} × with {measure.streams}", f"≤ 1 × (noise {NOISE_TIMES - 1:.0%})", "",
    )


class Pairs(NamedTuple):
    """Each pair's ratio of CPU a token and differences of added TTFT p50 and p95, milliseconds: with to without."""

    cells: list[Cell]
    numbers: list[int]
    times: list[float]
    p50_ms: list[float]
    p95_ms: list[float]

    @property
    def cpu_times(self) -> float:
        """The geometric mean: what the orders in which the two are measured do to it cancels out."""
        return geometric_mean(self.times)

    @property
    def cpu_bounds(self) -> tuple[float, float] | None:
        """Of `cpu_times`, 95 %; None: too few pairs. What an order does to its pairs is no part of the doubt."""
        logs = [(number % ORDERS, log(ratio)) for number, ratio in zip(self.numbers, self.times, strict=True)]
        means = {order: fmean(value for at, value in logs if at == order) for order, _ in logs}
        free = len(logs) - len(means)
        if free < 1:
            return None
        rest = sum((value - means[order]) ** 2 for order, value in logs) / free
        reach = t_quantile(free) * sqrt(rest / len(logs))
        return self.cpu_times * exp(-reach), self.cpu_times * exp(reach)


def pairs_of(cells: Sequence[Cell], subject: str) -> Pairs:
    found = [cell for cell in cells if cell.what == "instrumentation"]
    with_it = {cell.round: cell for cell in found if cell.subject == subject}
    without = {cell.round: cell for cell in found if cell.subject == subject + SILENT}
    both = [(with_it[number], without[number]) for number in sorted(with_it.keys() & without.keys())]
    return Pairs(
        [cell for pair in both for cell in pair], sorted(with_it.keys() & without.keys()),
        [times(Row((one,)), Row((other,))) or 0.0 for one, other in both],
        [one.seen.first_ms[0] - other.seen.first_ms[0] for one, other in both],
        [one.seen.first_ms[1] - other.seen.first_ms[1] for one, other in both],
    )


def instrumented(cells: Sequence[Cell]) -> list[str]:
    found = dict.fromkeys(cell.subject for cell in cells if cell.what == "instrumentation")
    return [name for name in found if not name.endswith(SILENT)]


def instrumentation(cells: Sequence[Cell]) -> Iterator[Judgement]:
    for name in instrumented(cells):
        pairs = pairs_of(cells, name)
        if not pairs.cells:
            continue
        row = Row(tuple(pairs.cells))
        yield _cpu(pairs, row, name)
        first = median(pairs.p50_ms)
        yield Judgement(
            verdict(first <= INSTRUMENTATION_MS, row), name, f"instrumentation, added TTFT p50, {row.streams} streams",
            f"{first:+.2f} ms ({min(pairs.p50_ms):+.2f} to {max(pairs.p50_ms):+.2f})", f"≤ {INSTRUMENTATION_MS:g} ms",
            "",
        )


def _cpu(pairs: Pairs, row: Row, name: str) -> Judgement:
    cpu, bounds = pairs.cpu_times, pairs.cpu_bounds
    word, told = verdict(cpu <= INSTRUMENTATION_TIMES, row), f"{cpu:.3f} × without"
    if bounds is not None:
        told = f"{told} (95 %: {bounds[0]:.3f}–{bounds[1]:.3f})"
    if word in ("reached", "NOT REACHED") and (bounds is None or bounds[0] <= INSTRUMENTATION_TIMES < bounds[1]):
        word = "NOT PROVEN"
    return Judgement(
        word, name, f"instrumentation, CPU a token, {row.streams} streams", told, f"≤ {INSTRUMENTATION_TIMES} ×", ""
    )


def t_quantile(free: int) -> float:
    """Of Student's distribution with `free` degrees of freedom, at 97.5 %; Hill's series, to a hundredth from 4 on."""
    z = 1.959964
    return z + sum((
        (z**3 + z) / (4 * free), (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * free**3),
    ))
