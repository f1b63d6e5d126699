"""Cells of one kind together: medians over the rounds, ratios to the references, whether they prove anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.plan import Cell

SATURATED_PERCENT = 90.0


@dataclass(frozen=True)
class Row:
    """All rounds of one subject at one number of streams, one pace, one path."""

    cells: tuple[Cell, ...]

    @property
    def subject(self) -> str:
        return self.cells[0].subject

    @property
    def streams(self) -> int:
        return self.cells[0].streams

    @property
    def kind(self) -> str:
        return self.cells[0].kind

    @property
    def server(self) -> str:
        return self.cells[0].server

    @property
    def rate(self) -> float:
        return self.cells[0].rate

    @property
    def path(self) -> str:
        return self.cells[0].path

    def mid(self, figure: Callable[[Cell], float]) -> float:
        return median(figure(cell) for cell in self.cells)

    @property
    def kilo_instructions(self) -> float | None:
        counted = [cell.kilo_instructions for cell in self.cells]
        return median(k for k in counted if k is not None) if None not in counted else None

    @property
    def has_figures(self) -> bool:
        return all((cell.seen.first_count or cell.path == "completed") and cell.seen.tokens for cell in self.cells)

    @property
    def is_late(self) -> bool:
        return any(cell.is_late for cell in self.cells)

    @property
    def faults(self) -> Counter[str]:
        return sum((Counter(cell.seen.faults) for cell in self.cells), Counter())

    @property
    def remarks(self) -> str:
        remarks = [f"{name}: {count}" for name, count in self.faults.items()]
        if self.mid(lambda cell: cell.core_percent) >= SATURATED_PERCENT:
            remarks.append("saturated")
        if self.is_late:
            remarks.append("provider was late")
        return ", ".join(remarks)


def rows_of(cells: Sequence[Cell], what: str) -> list[Row]:
    """By pace and streams; subjects in the order in which they were measured."""
    grouped: dict[tuple[float, int, str, str], list[Cell]] = {}
    for cell in cells:
        if cell.what == what:
            grouped.setdefault((cell.rate, cell.streams, cell.subject, cell.path), []).append(cell)
    return [Row(tuple(group)) for _, group in sorted(grouped.items(), key=lambda item: item[0][:2])]


def words_of(row: Row, cells: Sequence[Cell]) -> Row:
    """Where the first words of a row are read: at one stream from the short answers, of which there are many."""
    if row.streams > 1:
        return row
    return next((first for first in rows_of(cells, "first") if first.subject == row.subject), row)


def reference_of(row: Row, rows: Sequence[Row], kind: str) -> Row | None:
    """Floor, or bare on the same server, at the same streams and pace."""
    for other in rows:
        is_alike = (other.streams, other.rate) == (row.streams, row.rate)
        if other.kind == kind and is_alike and (kind == "floor" or other.server == row.server):
            return other
    return None


def times(row: Row, other: Row | None) -> float | None:
    """CPU a token against a reference: instructions where both have them, microseconds otherwise."""
    if other is None:
        return None
    ours, theirs = row.kilo_instructions, other.kilo_instructions
    if ours is not None and theirs:
        return ours / theirs
    return row.mid(lambda cell: cell.cpu_micros) / max(1e-9, other.mid(lambda cell: cell.cpu_micros))


def verdict(is_reached: bool, *rows: Row) -> str:
    """A figure taken while answers were wrong, or while the load itself was late, proves nothing."""
    if any(row.faults for row in rows):
        return "FAULTY"
    if any(row.is_late for row in rows):
        return "UNSURE"
    return "reached" if is_reached else "NOT REACHED"


def stream_kib(cell: Cell) -> float:
    return (cell.seen.rss_busy_kib - cell.seen.rss_base_kib) / cell.streams


def socket_kib(cell: Cell) -> float:
    return (cell.seen.rss_idle_kib - cell.seen.rss_base_kib) / cell.streams
