"""The harness itself: its figures are whole and sane, for the references and for ours on every path. No speeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import load, report
from tests.bench.plan import Cell, Plan, Provider
from tests.bench.rounds import Bench
from tests.bench.server import Cores, Subject
from tests.bench.tokens import Pace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SUBJECTS = [Subject("floor", "raw"), Subject("bare", "daphne"), Subject("bare", "uvicorn")]
STREAMS = 5
PLAN = Plan(
    streams=(STREAMS,), pace=Pace(tokens=20, rate=50, delay_ms=50), fast_rate=0, seconds=2.0, rounds=1,
    repeat_at=STREAMS, pair_streams=STREAMS, pair_seconds=2.0, memory_streams=0, probes=1, pairs=1, seats=30,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    provider = Provider(core=None, realtime=False)
    yield Bench(
        plan=PLAN, cores=Cores(None, None), provider=provider, directory=tmp_path, logs=tmp_path,
        say=lambda line: None, count_instructions=False,
    )
    provider.stop()


def test_every_token_of_every_reference_is_counted_once(bench: Bench) -> None:
    load.load(bench, SUBJECTS)
    assert bench.skipped == {}
    assert [cell.subject for cell in bench.cells] == [subject.name for subject in SUBJECTS]
    for cell in bench.cells:
        _check_sanity(cell)
        # An uncoalesced relay sends one frame a token; unit 0 is no token.
        assert cell.seen.frames == cell.seen.tokens
    lines = report.lines(bench.cells, {})
    assert all(any(subject.name in line for line in lines) for subject in SUBJECTS)


def test_ours_brings_the_same_answer_on_every_path_and_without_its_instrumentation(bench: Bench) -> None:
    ours, silent = (Subject("soksak", "uvicorn", "sqlite", measures=measures) for measures in (True, False))
    with bench.ready([ours, silent]):
        load.paths(bench, [ours])
        load.load(bench, [silent])
    assert bench.skipped == {}
    assert [cell.path for cell in bench.cells] == ["socket", "sse", "completed", "socket"]
    for cell in bench.cells:
        _check_sanity(cell)


def _check_sanity(cell: Cell) -> None:
    seen = cell.seen
    assert seen.faults == {}
    assert seen.turns >= STREAMS
    assert seen.tokens >= seen.turns * PLAN.pace.tokens / 2
    assert seen.cpu_seconds > 0
    assert seen.rss_base_kib > 1000
    assert 0 < seen.end_ms[0] <= seen.end_ms[1]
    if cell.path != "completed":
        assert 0 <= seen.first_ms[0] <= seen.first_ms[1] <= seen.first_ms[2]
        assert 0 < seen.token_ms[0] <= seen.token_ms[1]
