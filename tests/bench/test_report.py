"""The report is honest: what was not measured well is not called reached."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.bench.client import Seen
from tests.bench.plan import Cell
from tests.bench.report import Report

SEEN = Seen(
    tokens=1000, frames=600, turns=5, seconds=1.0, cpu_seconds=0.1, client_cpu_seconds=0.01, instructions=None,
    first_count=5, first_ms=(5.0, 20.0, 30.0), token_ms=(10.0, 30.0), rss_base_kib=100_000, rss_idle_kib=102_000,
    rss_busy_kib=105_000, faults={},
)
BARE = Cell(
    subject="bare uvicorn", kind="bare", server="uvicorn", database="", what="load", streams=50, round=0,
    late_p99_ms=1.0, seen=SEEN,
)
OURS = Cell(
    subject="soksak uvicorn sqlite", kind="soksak", server="uvicorn", database="sqlite", what="load", streams=50,
    round=0, late_p99_ms=1.0, seen=SEEN,
)


def _targets(late_p99_ms: float = 1.0, **seen: Any) -> str:
    ours = msgspec.structs.replace(OURS, late_p99_ms=late_p99_ms, seen=msgspec.structs.replace(SEEN, **seen))
    return "\n".join(Report([BARE, ours], {}).targets())


def test_figures_within_the_targets_are_reached() -> None:
    assert _targets().count("reached ") == 2


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ({"first_ms": (5.0, 41.0, 50.0)}, "NOT REACHED"),
        ({"cpu_seconds": 0.3}, "NOT REACHED"),
        ({"faults": {"gap": 1}}, "FAULTY"),
        ({"tokens": 0, "first_count": 0}, "NO FIGURES"),
        ({"late_p99_ms": 50.0}, "UNSURE"),
    ],
)
def test_what_is_not_good_is_not_called_reached(seen: dict[str, Any], word: str) -> None:
    assert word in _targets(**seen)


def test_instructions_are_trusted_before_microseconds() -> None:
    cells = [
        msgspec.structs.replace(BARE, seen=msgspec.structs.replace(SEEN, instructions=1_000_000)),
        msgspec.structs.replace(OURS, seen=msgspec.structs.replace(SEEN, instructions=1_500_000, cpu_seconds=0.9)),
    ]
    assert any("1.5 × bare" in line for line in Report(cells, {}).targets())


def test_a_subject_that_did_not_run_is_named_with_its_reason() -> None:
    assert "NOT MEASURED soksak daphne postgres: no Postgres here" in Report(
        [BARE], {"soksak daphne postgres": "no Postgres here"}
    ).lines()
