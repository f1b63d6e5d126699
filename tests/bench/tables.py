"""Cells to tables, one for each section. Renders nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench import capacity
from tests.bench.comparisons import instrumented, pairs_of
from tests.bench.plan import Cell
from tests.bench.rows import Row, reference_of, rows_of, socket_kib, stream_kib, times, words_of

Line = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    title: str
    head: Line
    lines: list[Line]


def tables(cells: Sequence[Cell]) -> Iterator[Table]:
    """Those that have something to say."""
    for make in (_load, _paths, _capacity, _overload, _slow, _memory, _processes, _instrumentation):
        table = make(cells)
        if table.lines:
            yield table


def _load(cells: Sequence[Cell]) -> Table:
    head = (
        "subject", "streams", "tokens/s", "TTFT+ p50", "p95", "p99", "token+ p50", "p95", "end+ p95", "CPU µs/token",
        "min–max", "k-instr/token", "x bare", "x floor", "frames/token", "core %", "remarks",
    )
    rows = rows_of(cells, "load")
    return Table("Streams at a socket", head, [_load_line(row, rows, words_of(row, cells)) for row in rows])


def _load_line(row: Row, rows: Sequence[Row], first: Row) -> Line:
    micros = [cell.cpu_micros for cell in row.cells]
    instructions = row.kilo_instructions
    return (
        row.subject, str(row.streams), f"{row.rate:g}",
        *(f"{ms:.1f}" for ms in _medians(cell.seen.first_ms for cell in first.cells)),
        *(f"{ms:.2f}" for ms in _medians(cell.seen.token_ms for cell in row.cells)),
        f"{first.mid(lambda cell: cell.seen.end_ms[1]):.1f}",
        f"{median(micros):.0f}", f"{min(micros):.0f}–{max(micros):.0f}",
        "-" if instructions is None else f"{instructions:.0f}",
        _ratio(times(row, reference_of(row, rows, "bare"))), _ratio(times(row, reference_of(row, rows, "floor"))),
        f"{row.mid(lambda cell: cell.frames_per_token):.2f}", f"{row.mid(lambda cell: cell.core_percent):.0f}",
        row.remarks,
    )


def _paths(cells: Sequence[Cell]) -> Table:
    head = (
        "subject", "path", "streams", "TTFT+ p50", "p95", "token+ p95", "end+ p50", "p95", "CPU µs/token", "remarks",
    )
    return Table("Ways to an answer", head, [_path_line(row) for row in rows_of(cells, "paths")])


def _path_line(row: Row) -> Line:
    def shown(figure: Callable[[Cell], float]) -> str:
        return "-" if row.path == "completed" else f"{row.mid(figure):.1f}"

    return (
        row.subject, row.path, str(row.streams), shown(lambda cell: cell.seen.first_ms[0]),
        shown(lambda cell: cell.seen.first_ms[1]), shown(lambda cell: cell.seen.token_ms[1]),
        *(f"{ms:.1f}" for ms in _medians(cell.seen.end_ms for cell in row.cells)),
        f"{row.mid(lambda cell: cell.cpu_micros):.0f}", row.remarks,
    )


def _capacity(cells: Sequence[Cell]) -> Table:
    head = ("subject", "streams a core", "x floor", "TTFT+ p95", "token+ p95", "core %", "probes", "remarks")
    subjects = {cell.subject: cell.kind for cell in cells if cell.what == "capacity"}
    floor = next((capacity.estimated(cells, name) for name, kind in subjects.items() if kind == "floor"), 0.0)
    return Table("Capacity", head, [_capacity_line(cells, name, floor) for name in subjects])


def _capacity_line(cells: Sequence[Cell], name: str, floor: float) -> Line:
    probes = " ".join(
        f"{cell.streams}{'' if capacity.carries(cell) else '✗'}"
        for cell in sorted(capacity.probes_of(cells, name), key=lambda cell: cell.streams)
    )
    best = capacity.best_of(cells, name)
    if best is None:
        return name, "0", "-", "-", "-", "-", probes, "no probe stayed within the limits"
    remark, streams = "", capacity.estimated(cells, name)
    if capacity.has_load_given_out(cells, name):
        remark = f"the load gave out; by its CPU a core carries {streams:.0f}"
    return (
        name, str(best.streams), _ratio(streams / floor if floor else None), f"{best.seen.first_ms[1]:.1f}",
        f"{best.seen.token_ms[1]:.1f}", f"{best.core_percent:.0f}", probes, remark,
    )


def _overload(cells: Sequence[Cell]) -> Table:
    head = (
        "subject", "streams", "admitted", "tokens/s", "token+ p95", "waiting", "told in, p95", "refused",
        "told in, p95", "CPU µs/token", "remarks",
    )
    return Table("Overload", head, [_overload_line(row.cells[0], row) for row in rows_of(cells, "overload")])


def _overload_line(cell: Cell, row: Row) -> Line:
    seen = cell.seen
    return (
        cell.subject, str(cell.streams), str(cell.calls_most), f"{seen.tokens / seen.seconds:.0f}",
        f"{seen.token_ms[1]:.1f}", str(seen.waiting_count), f"{seen.waiting_ms:.1f}", str(seen.refused_count),
        f"{seen.refused_ms:.1f}", f"{cell.cpu_micros:.0f}",
        f"{seen.accepted_in_vain} of them after acceptance" if seen.accepted_in_vain else row.remarks,
    )


def _slow(cells: Sequence[Cell]) -> Table:
    head = ("subject", "streams", "TTFT+ p50", "p95", "token+ p95", "remarks")
    return Table("Slow streams", head, [
        (
            row.subject, str(row.streams), *(f"{ms:.1f}" for ms in row.cells[0].seen.first_ms[:2]),
            f"{row.cells[0].seen.token_ms[1]:.1f}", row.remarks,
        )
        for row in rows_of(cells, "slow")
    ])


def _memory(cells: Sequence[Cell]) -> Table:
    head = ("subject", "base MiB", "KiB an idle socket", "KiB a stream", "streams", "remarks")
    return Table("Memory", head, [
        (
            row.subject, f"{row.cells[0].seen.rss_base_kib / 1024:.1f}", f"{socket_kib(row.cells[0]):.1f}",
            f"{stream_kib(row.cells[0]):.1f}", str(row.streams), row.remarks,
        )
        for row in rows_of(cells, "memory")
    ])


def _processes(cells: Sequence[Cell]) -> Table:
    head = ("subject", "processes", "streams", "within limits", "TTFT+ p95", "token+ p95", "tokens/s", "CPU µs/token")
    found = sorted((c for c in cells if c.what == "processes"), key=lambda cell: (cell.processes, cell.streams))
    return Table("Two processes on two cores", head, [
        (
            cell.subject, str(cell.processes), str(cell.streams), "yes" if capacity.carries(cell) else "no",
            f"{cell.seen.first_ms[1]:.1f}", f"{cell.seen.token_ms[1]:.1f}",
            f"{cell.seen.tokens / cell.seen.seconds:.0f}", f"{cell.cpu_micros:.0f}",
        )
        for cell in found
    ])


def _instrumentation(cells: Sequence[Cell]) -> Table:
    head = ("subject", "pairs", "CPU a token, with/without", "95 %", "min–max", "TTFT+ p50", "min to max", "TTFT+ p95")
    return Table("What instrumentation costs", head, [_pair_line(cells, name) for name in instrumented(cells)])


def _pair_line(cells: Sequence[Cell], name: str) -> Line:
    pairs = pairs_of(cells, name)
    if not pairs.times:
        return name, "0", "-", "-", "-", "-", "-", "-"
    bounds = pairs.cpu_bounds
    return (
        name, str(len(pairs.times)), f"{pairs.cpu_times:.3f}",
        "-" if bounds is None else f"{bounds[0]:.3f}–{bounds[1]:.3f}", f"{min(pairs.times):.3f}–{max(pairs.times):.3f}",
        f"{median(pairs.p50_ms):+.2f}", f"{min(pairs.p50_ms):+.2f} to {max(pairs.p50_ms):+.2f}",
        f"{median(pairs.p95_ms):+.2f}",
    )


def _medians(percentiles: Iterable[tuple[float, ...]]) -> list[float]:
    """The same percentiles of several rounds, each to its median."""
    return [median(column) for column in zip(*percentiles, strict=True)]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
