"""Servers started, warmed and measured one cell at a time. What is measured when is the sections' business."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.client import Seen
from tests.bench.conversation import Seat
from tests.bench.databases import Prepared, prepared
from tests.bench.durability import store_of
from tests.bench.measure import BenchError
from tests.bench.plan import EASY_PERCENT, LATE_LIMIT_MS, WARM_PACE, WARM_SEATS, Cell, Job, Loader, Plan, Provider
from tests.bench.server import Cores, Running, Subject, serve

Say = Callable[[str], None]
REFERENCE_PATH = "/ws/"
WARM = Job("warm", WARM_PACE, 1.0)


@dataclass
class Served:
    """A warm server process and its seats, handed out in turn: the longer until a room's history grows, the better."""

    subject: Subject
    running: Running
    seats: list[Seat]
    calls_most: int = 0
    _next: int = 0

    def take(self, count: int) -> list[Seat]:
        """Raises BenchError when there are not so many."""
        if count > len(self.seats):
            raise BenchError(f"{count} streams, but only {len(self.seats)} seats")
        start, self._next = self._next, (self._next + count) % len(self.seats)
        return (self.seats[start:] + self.seats[:start])[:count]


@dataclass
class Bench:
    """`directory` holds databases and is gone afterwards; `logs` keeps what the servers said.

    `skipped` says why a subject has no figures. Cells are appended as they are measured.
    """

    plan: Plan
    cores: Cores
    provider: Provider
    directory: Path
    logs: Path
    say: Say
    count_instructions: bool
    databases: dict[str, Prepared] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def ready(self, subjects: list[Subject]) -> Iterator[None]:
        """The databases that `subjects` need, for as long as the context lasts."""
        with ExitStack() as stack:
            self._prepare({subject.database for subject in subjects} - {""}, stack)
            yield

    def _prepare(self, kinds: set[str], stack: ExitStack) -> None:
        for kind in sorted(kinds):
            self.say(f"preparing {kind}: {self.plan.seats} people, rooms and sessions")
            try:
                context = prepared(
                    kind, self.directory / kind, provider_urls=[self.provider.url], seats=self.plan.seats,
                    realtime=self.plan.realtime,
                )
                self.databases[kind] = stack.enter_context(context)
            except BenchError as error:
                self.skipped[kind] = str(error)
                self.say(f"SKIPPED everything on {kind}: {error}")

    def guarded(self, subject: Subject, action: Callable[[Subject], None], name: str = "") -> None:
        """Run `action`; a subject (or the `name`d part of it) that cannot run is skipped with its reason."""
        name = name or subject.name
        if {name, subject.name, subject.database} & self.skipped.keys():
            return
        try:
            action(subject)
        except BenchError as error:
            self.skipped[name] = str(error)
            self.say(f"SKIPPED {name}: {error}")

    @contextmanager
    def serving(self, subject: Subject, extra: Mapping[str, str] | None = None) -> Iterator[Served]:
        """A fresh server process, warm, on a fresh database; `extra` are settings of its environment."""
        known = self.databases.get(subject.database)
        environment = known.environment() if known else {"BENCH_PROVIDER_URL": self.provider.url}
        slug = subject.name.replace(" ", "-")
        log = self.logs / f"{slug}.log"
        store = store_of(subject, self.directory / slug, realtime=self.plan.realtime)
        with store as kept, serve(
            subject, environment={**environment, **kept.environment, **(extra or {})}, core=self.cores.server,
            realtime=self.plan.realtime, log=log,
        ) as running:
            seats = known.seats if known else [Seat(REFERENCE_PATH)] * self.plan.seats
            warm = self.loader(running).run(seats[:WARM_SEATS], WARM)
            if not warm.tokens:
                raise BenchError(f"It answers nothing: {warm.faults}; see {log}")
            kept.strike()
            yield Served(subject, running, seats[WARM_SEATS:])

    def loader(self, running: Running) -> Loader:
        return Loader(running, self.cores.load, self.plan.realtime, self.count_instructions)

    def cell(self, served: Served, streams: int, job: Job, number: int = 0) -> Cell:
        """Measure, keep and tell one cell; once more where the load was late by some accident."""
        cell = self._measured(served, streams, job, number)
        if cell.is_late and cell.core_percent < EASY_PERCENT:
            self.say(_line(cell) + ": again")
            cell = self._measured(served, streams, job, number)
        self.keep(cell)
        return cell

    def _measured(self, served: Served, streams: int, job: Job, number: int) -> Cell:
        self.provider.late_p99_ms()
        seen = self.loader(served.running).run(served.take(streams), job)
        return cell_of(served, streams, job, number, seen, self.provider.late_p99_ms())

    def keep(self, cell: Cell) -> None:
        self.cells.append(cell)
        self.say(_line(cell))


def cell_of(served: Served, streams: int, job: Job, number: int, seen: Seen, late_p99_ms: float) -> Cell:
    subject = served.subject
    return Cell(
        subject=subject.name, kind=subject.kind, server=subject.server, database=subject.database, what=job.what,
        streams=streams, round=number, late_p99_ms=late_p99_ms, seen=seen, path=job.path, rate=job.pace.rate,
        calls_most=served.calls_most,
    )


def _line(cell: Cell) -> str:
    late = f", PROVIDER LATE {cell.late_p99_ms} ms" if cell.late_p99_ms > LATE_LIMIT_MS else ""
    faults = f", FAULTS {cell.seen.faults}" if cell.seen.faults else ""
    first, token = cell.seen.first_ms, cell.seen.token_ms
    path = "" if cell.path == "socket" else f" {cell.path}"
    return (
        f"{cell.what + path:16} {cell.subject:36} ×{cell.streams:<4} {cell.rate:3.0f}/s "
        f"{cell.cpu_micros:5.0f} µs/token  TTFT+ {first[0]:.1f}/{first[1]:.1f}  token+ {token[0]:.1f}/{token[1]:.1f} ms"
        f"  core {cell.core_percent:.0f} %{late}{faults}"
    )
