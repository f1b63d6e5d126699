"""The report is honest: what was not measured well is not called reached."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.bench import report
from tests.bench.client import Seen
from tests.bench.plan import Cell
from tests.bench.targets import judge

SEEN = Seen(
    tokens=1000, frames=600, turns=5, seconds=1.0, cpu_seconds=0.1, client_cpu_seconds=0.01, instructions=None,
    first_count=5, first_ms=(5.0, 10.0, 30.0), token_ms=(10.0, 30.0), rss_base_kib=100_000, rss_idle_kib=102_000,
    rss_busy_kib=105_000, faults={},
)
FLOOR = Cell(
    subject="floor raw", kind="floor", server="raw", database="", what="load", streams=50, round=0, late_p99_ms=1.0,
    seen=msgspec.structs.replace(SEEN, cpu_seconds=0.05),
)
BARE = msgspec.structs.replace(FLOOR, subject="bare uvicorn", kind="bare", server="uvicorn", seen=SEEN)
OURS = msgspec.structs.replace(BARE, subject="soksak uvicorn sqlite", kind="soksak", database="sqlite")


def like(cell: Cell, *, what: str = "load", **changes: Any) -> Cell:
    """`cell` with other fields; those of its Seen are told by name too."""
    seen = {name: changes.pop(name) for name in list(changes) if name in Seen.__struct_fields__}
    return msgspec.structs.replace(cell, what=what, seen=msgspec.structs.replace(cell.seen, **seen), **changes)


def _words(*cells: Cell) -> list[str]:
    return [one.word for one in judge([FLOOR, BARE, *cells])]


def test_figures_within_the_targets_are_reached() -> None:
    # Words, CPU against bare, and against the floor where no instructions are counted.
    assert _words(OURS) == ["reached"] * 3


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"first_ms": (5.0, 15.1, 50.0)}, "NOT REACHED"),
        ({"cpu_seconds": 0.14}, "NOT REACHED"),
        ({"faults": {"gap": 1}}, "FAULTY"),
        ({"tokens": 0, "first_count": 0}, "NO FIGURES"),
        ({"late_p99_ms": 50.0}, "UNSURE"),
    ],
)
def test_what_is_not_good_is_not_called_reached(changes: dict[str, Any], word: str) -> None:
    assert word in _words(like(OURS, **changes))


def test_instructions_are_trusted_before_microseconds() -> None:
    cells = [like(BARE, instructions=100_000_000), like(OURS, instructions=125_000_000, cpu_seconds=0.9)]
    found = {one.what: (one.word, one.figure) for one in judge(cells)}
    assert found["CPU a token, 50 streams of 50/s"] == ("reached", "1.25 × bare")
    assert found["instructions a token, 50 streams of 50/s"] == ("reached", "125.00 k")


def test_what_only_stands_in_for_instructions_says_so() -> None:
    notes = [one.note for one in judge([FLOOR, BARE, OURS]) if one.what.startswith("instructions")]
    assert len(notes) == 1
    assert "stands in" in notes[0]


def test_a_subject_that_did_not_run_is_named_with_its_reason() -> None:
    assert "NOT MEASURED soksak daphne postgres: no Postgres here" in report.lines(
        [BARE], {"soksak daphne postgres": "no Postgres here"}
    )
