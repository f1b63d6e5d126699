"""What it costs that nothing is lost: the same server with nothing kept, with everything, and with Redis gone.

Owns the private Redis of each server process, and the verdicts. Ratios of one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from tests.bench.measure import BenchError, Rank, hurry, listener
from tests.bench.plan import Cell
from tests.bench.rows import Row, rows_of, times, verdict
from tests.bench.server import Subject
from tests.redis_server import RedisServer
from tests.service_base import Unavailable

#: The issue's target, and what two cells of one subject differ by on a quiet machine.
CPU_TARGET_TIMES = 1.25
NOISE_TIMES = 1.15
NOISE_MS = 2.0
#: Longer than any cell: no checkpoint is ever due.
NEVER_SECONDS = "86400"


class Keeps(StrEnum):
    """`Subject.keeps`. Redis goes away after the server has warmed up."""

    NOTHING = "keeps-nothing"
    ALL = "everything"
    REDIS_KILLED = "redis-killed"
    REDIS_STALLED = "redis-stalled"


def subjects(server: str) -> list[Subject]:
    return [Subject("soksak", server, "postgres", keeps) for keeps in Keeps]


class Store:
    """The Redis of one server process, or none."""

    def __init__(self, keeps: str, folder: Path, *, realtime: bool) -> None:
        self._keeps = keeps
        self._realtime = realtime
        self._redis = RedisServer(folder)

    @property
    def environment(self) -> dict[str, str]:
        if self._keeps == Keeps.NOTHING:
            return {"STREAM_CHECKPOINT_SECONDS": NEVER_SECONDS}
        return {"REDIS_URL": f"redis://127.0.0.1:{self._redis.port}/0"} if self._keeps else {}

    @property
    def port(self) -> int:
        """Of its Redis; 0 where there is none."""
        return self._redis.port

    def strike(self) -> None:
        if self._keeps == Keeps.REDIS_KILLED:
            self._redis.kill9()
        elif self._keeps == Keeps.REDIS_STALLED:
            self._redis.pause()

    def start(self) -> None:
        if self._keeps and self._keeps != Keeps.NOTHING:
            self._redis.start()
            if self._realtime:
                hurry(listener(self._redis.port), Rank.STORE)

    def stop(self) -> None:
        if self._redis.is_running:
            self._redis.kill9()


@contextmanager
def store_of(subject: Subject, folder: Path, *, realtime: bool) -> Iterator[Store]:
    """Raises BenchError where there is no Redis to start."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(subject.keeps, folder, realtime=realtime)
    try:
        store.start()
        yield store
    except Unavailable as error:
        raise BenchError(str(error)) from None
    finally:
        store.stop()


# Verdicts


def lines(cells: Sequence[Cell]) -> list[str]:
    """Three lines for each subject and number of streams that has its like with nothing kept."""
    loads = {(row.subject, row.streams): row for row in rows_of(cells, "load")}
    firsts = {(row.subject, row.streams): row for row in rows_of(cells, "first")}
    found: list[str] = []
    for key, row in loads.items():
        base_key = (_base_of(row), row.streams)
        base = loads.get(base_key)
        if base is not None and base is not row and row.has_figures and base.has_figures:
            found += _compared(row, base, firsts.get(key, row), firsts.get(base_key, base))
    return found


def _base_of(row: Row) -> str:
    cell = row.cells[0]
    return Subject(cell.kind, cell.server, cell.database, Keeps.NOTHING).name


def _compared(row: Row, base: Row, first: Row, base_first: Row) -> list[str]:
    cpu = times(row, base) or 0.0
    ttft, base_ttft = (one.mid(lambda cell: cell.seen.first_ms[1]) for one in (first, base_first))
    token, base_token = (one.mid(lambda cell: cell.seen.token_ms[1]) for one in (row, base))
    found = [
        (cpu <= CPU_TARGET_TIMES, f"CPU a token: {cpu:.2f} × nothing kept (target ≤ {CPU_TARGET_TIMES})"),
        (_is_noise(ttft, base_ttft), f"added TTFT p95: {ttft:.1f} ms, with nothing kept {base_ttft:.1f}"),
        (_is_noise(token, base_token), f"added token p95: {token:.2f} ms, with nothing kept {base_token:.2f}"),
    ]
    return [f"{verdict(reached, row, base)}  {row.subject:36} ×{row.streams:<4} {what}" for reached, what in found]


def _is_noise(value: float, base: float) -> bool:
    return value <= base * NOISE_TIMES or value - base <= NOISE_MS
