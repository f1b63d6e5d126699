"""docs/FAULTS.md says what the matrix does."""

from __future__ import annotations

from tests.faults.cells import FAULTS, NOT_PASSING_YET
from tests.faults.strikes import STRIKES
from tests.faults.table import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.faults.table --write"


def test_every_fault_is_done_and_every_deed_is_a_fault() -> None:
    names = [fault.name for fault in FAULTS]
    assert names == list(STRIKES)
    assert set(NOT_PASSING_YET) <= set(names)
