"""The harness itself, against the two references: its figures are whole and sane. Speeds are not asserted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.plan import Cell, Plan, Provider
from tests.bench.report import Report
from tests.bench.rounds import Bench
from tests.bench.server import Cores, Subject
from tests.bench.tokens import Pace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SUBJECTS = [Subject("floor", "raw"), Subject("bare", "daphne"), Subject("bare", "uvicorn")]
STREAMS = 5
PLAN = Plan(
    streams=(STREAMS,), pace=Pace(tokens=20, rate=50, delay_ms=50), seconds=2.0, rounds=1, repeat_at=STREAMS,
    memory_streams=0,
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider(core=None, realtime=False)
    yield provider
    provider.stop()


def test_every_token_of_every_reference_is_counted_once(provider: Provider, tmp_path: Path) -> None:
    said: list[str] = []
    bench = Bench(
        plan=PLAN, cores=Cores(None, None), provider=provider, directory=tmp_path, logs=tmp_path, say=said.append,
        count_instructions=False,
    )
    bench.run(SUBJECTS)
    assert bench.skipped == {}
    assert [cell.subject for cell in bench.cells] == [subject.name for subject in SUBJECTS]
    for cell in bench.cells:
        _check_sanity(cell)
    assert all(any(subject.name in line for line in Report(bench.cells, {}).lines()) for subject in SUBJECTS)


def _check_sanity(cell: Cell) -> None:
    seen = cell.seen
    assert seen.faults == {}
    assert seen.turns >= STREAMS
    # An uncoalesced relay sends one frame a token; unit 0 is no token.
    assert seen.frames == seen.tokens
    assert seen.tokens >= seen.turns * PLAN.pace.tokens / 2
    assert seen.cpu_seconds > 0
    assert 0 <= seen.first_ms[0] <= seen.first_ms[1] <= seen.first_ms[2]
    assert 0 < seen.token_ms[0] <= seen.token_ms[1]
    assert seen.rss_base_kib > 1000
