"""How many streams one core carries until its readers feel it: a bounded search, each probe a cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tests.bench.plan import BUSY_PERCENT, Cell, Job
from tests.bench.rounds import Bench
from tests.bench.search import largest
from tests.bench.server import Subject
from tests.bench.tokens import Pace

TOKEN_LIMIT_MS = 50.0
FIRST_LIMIT_MS = 100.0
#: Of a core: what a process can have of it when it runs before all others (the kernel keeps a twentieth).
FULL_PERCENT = 95.0
PACE = Pace(tokens=150, rate=50, delay_ms=200)
SECONDS = 4.0
#: Where the search begins; it finds its way from anywhere.
START = {"floor": 400, "bare": 200, "soksak": 200}


def capacity(bench: Bench, subjects: list[Subject]) -> None:
    for subject in subjects:
        bench.guarded(subject, partial(_search, bench))


def _search(bench: Bench, subject: Subject) -> None:
    job = Job("capacity", PACE, SECONDS, reports=subject.is_reported_to)
    with bench.serving(subject) as served:
        start = START[subject.kind] // (2 if subject.server == "daphne" else 1)
        largest(
            lambda streams: carries(bench.cell(served, streams, job)),
            start=start, most=len(served.seats), probes=bench.plan.probes,
        )


def carries(cell: Cell) -> bool:
    """Within both limits, and every answer right. A model that is later than that does not keep its own pace."""
    seen = cell.seen
    is_smooth = seen.token_ms[1] <= TOKEN_LIMIT_MS and seen.first_ms[1] <= FIRST_LIMIT_MS
    is_whole = bool(seen.tokens and seen.first_count) and not seen.faults
    return is_smooth and is_whole and cell.late_p99_ms <= TOKEN_LIMIT_MS


def probes_of(cells: Sequence[Cell], subject: str) -> list[Cell]:
    return [cell for cell in cells if cell.what == "capacity" and cell.subject == subject]


def best_of(cells: Sequence[Cell], subject: str) -> Cell | None:
    """The probe with the most streams that passed."""
    passed = [cell for cell in probes_of(cells, subject) if carries(cell)]
    return max(passed, key=lambda cell: cell.streams, default=None)


def has_load_given_out(cells: Sequence[Cell], subject: str) -> bool:
    """What ended the search was the provider or the client: the server had time to spare."""
    best = best_of(cells, subject)
    above = [c for c in probes_of(cells, subject) if best is None or c.streams > best.streams]
    nearest = min(above, key=lambda cell: cell.streams, default=None)
    return nearest is None or (nearest.is_late and nearest.core_percent < BUSY_PERCENT)


def estimated(cells: Sequence[Cell], subject: str) -> float:
    """Streams; where the load gave out first, what a whole core would carry at the CPU the best probe took."""
    best = best_of(cells, subject)
    if best is None:
        return 0.0
    if has_load_given_out(cells, subject):
        return best.streams * max(1.0, FULL_PERCENT / best.core_percent)
    return float(best.streams)


def capacity_of(bench: Bench, subject: Subject) -> int:
    """As measured in this run, else what the plan expects."""
    best = best_of(bench.cells, subject.name)
    return best.streams if best else bench.plan.capacity
