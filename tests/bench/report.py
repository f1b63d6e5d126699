"""Cells to tables: medians over the rounds, ratios to the two references, and the targets reached or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.plan import LATE_LIMIT_MS, Cell

#: The issue's targets. At one stream and at fifty: milliseconds of added TTFT p95.
FIRST_TARGETS_MS = {1: 10.0, 50: 40.0}
CPU_TARGET_TIMES_BARE = 2.0
STREAM_TARGET_KIB = 100.0
SATURATED_PERCENT = 90.0

_HEAD = (
    "subject", "N", "TTFT+ p50", "p95", "p99", "token+ p50", "p95", "CPU µs/token", "(min–max)", "k-instr/token",
    "x bare", "x floor", "frames/token", "core %", "remarks",
)
_MEMORY_HEAD = ("subject", "base MiB", "KiB an idle socket", "KiB a stream", "streams", "remarks")


@dataclass(frozen=True)
class Row:
    """All rounds of one subject at one number of streams."""

    cells: tuple[Cell, ...]

    @property
    def subject(self) -> str:
        return self.cells[0].subject

    @property
    def streams(self) -> int:
        return self.cells[0].streams

    def mid(self, figure: Callable[[Cell], float]) -> float:
        return median(figure(cell) for cell in self.cells)

    @property
    def kilo_instructions(self) -> float | None:
        counted = [cell.kilo_instructions for cell in self.cells]
        return median(k for k in counted if k is not None) if None not in counted else None

    @property
    def has_figures(self) -> bool:
        return all(cell.seen.first_count and cell.seen.tokens for cell in self.cells)

    @property
    def is_late(self) -> bool:
        """The provider, and with it the client beside it, had not enough of its core."""
        return max(cell.late_p99_ms for cell in self.cells) > LATE_LIMIT_MS

    @property
    def faults(self) -> Counter[str]:
        return sum((Counter(cell.seen.faults) for cell in self.cells), Counter())


def rows_of(cells: Sequence[Cell], what: str) -> list[Row]:
    grouped: dict[tuple[int, str], list[Cell]] = {}
    for cell in cells:
        if cell.what == what:
            grouped.setdefault((cell.streams, cell.subject), []).append(cell)
    return [Row(tuple(group)) for _, group in sorted(grouped.items(), key=lambda item: item[0][0])]


def times(row: Row, other: Row | None) -> float | None:
    """CPU a token against a reference: instructions where both have them, microseconds otherwise."""
    if other is None:
        return None
    ours, theirs = row.kilo_instructions, other.kilo_instructions
    if ours is not None and theirs:
        return ours / theirs
    return row.mid(lambda cell: cell.cpu_micros) / max(1e-9, other.mid(lambda cell: cell.cpu_micros))


class Report:
    """`lines()` for people."""

    def __init__(self, cells: Sequence[Cell], skipped: dict[str, str], *, is_judged: bool = True) -> None:
        self._is_judged = is_judged
        self._loads = rows_of(cells, "load")
        self._firsts = {row.subject: row for row in rows_of(cells, "first")}
        self._memory = rows_of(cells, "memory")
        self._skipped = skipped

    def lines(self) -> list[str]:
        loads = _table(_HEAD, [self._load_line(row) for row in self._loads])
        memory = _table(_MEMORY_HEAD, [_memory_line(row) for row in self._memory])
        skipped = [f"NOT MEASURED {name}: {reason.splitlines()[0]}" for name, reason in self._skipped.items()]
        targets = self.targets() if self._is_judged else ["a quick run judges no target"]
        return [*loads, "", *memory, "", *targets, *skipped]

    def _reference(self, row: Row, kind: str) -> Row | None:
        for other in self._loads:
            cell = other.cells[0]
            is_same_server = kind == "floor" or cell.server == row.cells[0].server
            if cell.kind == kind and other.streams == row.streams and is_same_server:
                return other
        return None

    def _load_line(self, row: Row) -> tuple[str, ...]:
        first = self._firsts.get(row.subject, row) if row.streams == 1 else row
        micros = [cell.cpu_micros for cell in row.cells]
        instructions = row.kilo_instructions
        return (
            row.subject,
            str(row.streams),
            *(f"{ms:.1f}" for ms in _medians(cell.seen.first_ms for cell in first.cells)),
            *(f"{ms:.2f}" for ms in _medians(cell.seen.token_ms for cell in row.cells)),
            f"{median(micros):.0f}",
            f"({min(micros):.0f}–{max(micros):.0f})",
            "not supported" if instructions is None else f"{instructions:.0f}",
            _ratio(times(row, self._reference(row, "bare"))),
            _ratio(times(row, self._reference(row, "floor"))),
            f"{row.mid(lambda cell: cell.frames_per_token):.2f}",
            f"{row.mid(lambda cell: cell.core_percent):.0f}",
            _remarks(row),
        )

    def targets(self) -> list[str]:
        """One line a target and subject of ours: reached or not, by how much."""
        ours = [row for row in self._loads if row.cells[0].kind == "soksak"]
        lines = [line for row in ours for line in self._row_targets(row)]
        for row in self._memory:
            if row.cells[0].kind == "soksak":
                lines.append(_verdict(row, "memory a stream", _stream_kib(row.cells[0]), STREAM_TARGET_KIB, "KiB"))
        return lines or ["no target could be judged: the server under test was not measured"]

    def _row_targets(self, row: Row) -> list[str]:
        lines = []
        first = self._firsts.get(row.subject, row) if row.streams == 1 else row
        if not row.has_figures or not first.has_figures:
            return [f"NO FIGURES   {row.subject:24} ×{row.streams}: {_remarks(row)}"]
        if row.streams in FIRST_TARGETS_MS:
            p95 = first.mid(lambda cell: cell.seen.first_ms[1])
            lines.append(_verdict(row, "added TTFT p95", p95, FIRST_TARGETS_MS[row.streams], "ms"))
        against_bare = times(row, self._reference(row, "bare"))
        if against_bare is not None:
            lines.append(_verdict(row, "CPU a token", against_bare, CPU_TARGET_TIMES_BARE, "× bare"))
        return lines


def verdict(is_reached: bool, *rows: Row) -> str:
    """A figure taken while answers were wrong, or while the load itself was late, proves nothing."""
    if any(row.faults for row in rows):
        return "FAULTY     "
    if any(row.is_late for row in rows):
        return "UNSURE     "
    return "reached    " if is_reached else "NOT REACHED"


def _verdict(row: Row, name: str, value: float, limit: float, unit: str) -> str:
    word = verdict(value <= limit, row)
    return f"{word}  {row.subject:24} ×{row.streams:<4} {name}: {value:.1f} {unit} (target ≤ {limit:g})"


def _medians(percentiles: Iterable[tuple[float, ...]]) -> list[float]:
    """The same percentiles of several rounds, each to its median."""
    return [median(column) for column in zip(*percentiles, strict=True)]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _remarks(row: Row) -> str:
    remarks = [f"{name}: {count}" for name, count in row.faults.items()]
    if row.mid(lambda cell: cell.core_percent) >= SATURATED_PERCENT:
        remarks.append("saturated")
    if row.is_late:
        remarks.append("provider was late")
    return ", ".join(remarks)


def _stream_kib(cell: Cell) -> float:
    return (cell.seen.rss_busy_kib - cell.seen.rss_base_kib) / cell.streams


def _memory_line(row: Row) -> tuple[str, ...]:
    cell = row.cells[0]
    return (
        row.subject,
        f"{cell.seen.rss_base_kib / 1024:.1f}",
        f"{(cell.seen.rss_idle_kib - cell.seen.rss_base_kib) / cell.streams:.1f}",
        f"{_stream_kib(cell):.1f}",
        str(row.streams),
        _remarks(row),
    )


def _table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> list[str]:
    if not lines:
        return []
    widths = [max(len(line[at]) for line in (head, *lines)) for at in range(len(head))]
    return [
        "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in (head, *lines))
    ]
