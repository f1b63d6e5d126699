"""A run for the terminal: tables in columns, then each target with its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.bench.plan import Cell
from tests.bench.tables import Line, Table, tables
from tests.bench.targets import judge


def lines(cells: Sequence[Cell], skipped: Mapping[str, str], *, is_judged: bool = True) -> list[str]:
    found = [line for table in tables(cells) for line in _table(table)]
    verdicts = _verdicts(cells) if is_judged else ["a quick run judges no target"]
    missing = [f"NOT MEASURED {name}: {reason.splitlines()[0]}" for name, reason in skipped.items()]
    return [*found, *verdicts, *missing]


def _verdicts(cells: Sequence[Cell]) -> list[str]:
    found = [
        f"{one.word:11}  {one.subject}  {one.what}: {one.figure} (target {one.target})"
        + (f"; {one.note}" if one.note else "")
        for one in judge(cells)
    ]
    return found or ["no target could be judged: the server under test was not measured"]


def _table(table: Table) -> Iterator[str]:
    rows: list[Line] = [table.head, *table.lines]
    widths = [max(len(line[at]) for line in rows) for at in range(len(table.head))]
    yield table.title
    for line in rows:
        pairs = zip(line, widths, strict=True)
        yield "  ".join(c.ljust(width) if at == 0 else c.rjust(width) for at, (c, width) in enumerate(pairs)).rstrip()
    yield ""
