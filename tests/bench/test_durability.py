"""The cost of durability is judged against the like with nothing kept, and only where both were measured well."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.bench import durability
from tests.bench.durability import Keeps
from tests.bench.plan import Cell
from tests.bench.server import Subject
from tests.bench.test_report import OURS, SEEN


def cell(keeps: Keeps, **seen: Any) -> Cell:
    return msgspec.structs.replace(
        OURS, subject=Subject("soksak", "uvicorn", "postgres", keeps).name, database="postgres",
        seen=msgspec.structs.replace(SEEN, **seen),
    )


def test_what_is_within_the_bound_is_reached() -> None:
    lines = durability.lines([cell(Keeps.NOTHING), cell(Keeps.ALL, cpu_seconds=0.12)])
    assert len(lines) == 3
    assert all(line.startswith("reached ") for line in lines)


def test_each_figure_is_judged_by_itself() -> None:
    dear, slow_first, slow_token = durability.lines([
        cell(Keeps.NOTHING), cell(Keeps.ALL, cpu_seconds=0.13, first_ms=(5.0, 24.0, 30.0), token_ms=(10.0, 35.0)),
    ])
    assert dear.startswith("NOT REACHED")
    assert "1.30 × nothing kept" in dear
    assert slow_first.startswith("NOT REACHED")
    assert slow_token.startswith("NOT REACHED")


def test_wrong_answers_prove_nothing() -> None:
    lines = durability.lines([cell(Keeps.NOTHING), cell(Keeps.REDIS_KILLED, faults={"gap": 1})])
    assert all(line.startswith("FAULTY") for line in lines)


def test_without_its_like_nothing_is_judged() -> None:
    assert durability.lines([cell(Keeps.ALL)]) == []
