"""Carries out the plan: every subject in turn, round after round, so that a slow moment of the machine hits all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.databases import Prepared, prepared
from tests.bench.durability import store_of
from tests.bench.measure import BenchError
from tests.bench.plan import (
    FIRST_PACE,
    FIRST_PAUSE_SECONDS,
    LATE_LIMIT_MS,
    MEMORY_PACE,
    WARM_PACE,
    WARM_SEATS,
    Cell,
    Loader,
    Plan,
    Provider,
)
from tests.bench.seat import Seat
from tests.bench.server import Cores, Running, Subject, serve
from tests.bench.tokens import Pace

Say = Callable[[str], None]
REFERENCE_PATH = "/ws/"
WARM_SECONDS = 1.0


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

    def run(self, subjects: list[Subject]) -> None:
        with self.ready(subjects):
            for number in range(self.plan.rounds):
                for subject in subjects:
                    self.guarded(subject, partial(self._round, number=number))
            for subject in subjects if self.plan.memory_streams else []:
                self.guarded(subject, self._memory)

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
                    kind, self.directory / kind, provider_url=self.provider.url, seats=self.plan.seats,
                    realtime=self.plan.realtime,
                )
                self.databases[kind] = stack.enter_context(context)
            except BenchError as error:
                self.skipped[kind] = str(error)
                self.say(f"SKIPPED everything on {kind}: {error}")

    def guarded(self, subject: Subject, action: Callable[[Subject], None]) -> None:
        """Run `action`; a subject that cannot run is skipped with its reason, the others go on."""
        if subject.name in self.skipped or subject.database in self.skipped:
            return
        try:
            action(subject)
        except BenchError as error:
            self.skipped[subject.name] = str(error)
            self.say(f"SKIPPED {subject.name}: {error}")

    @contextmanager
    def serving(self, subject: Subject) -> Iterator[tuple[Running, list[Seat]]]:
        """A fresh server process, warm, on a fresh database, and the seats that were not used to warm it."""
        known = self.databases.get(subject.database)
        environment = known.environment() if known else {"BENCH_PROVIDER_URL": self.provider.url}
        slug = subject.name.replace(" ", "-")
        log = self.logs / f"{slug}.log"
        with store_of(subject, self.directory / slug) as store, serve(
            subject, environment={**environment, **store.environment}, core=self.cores.server,
            realtime=self.plan.realtime, log=log,
        ) as running:
            seats = known.seats if known else [Seat(REFERENCE_PATH)] * self.plan.seats
            warm = self.loader(running).run(seats[:WARM_SEATS], WARM_PACE, WARM_SECONDS)
            if not warm.tokens:
                raise BenchError(f"It answers nothing: {warm.faults}; see {log}")
            store.strike()
            yield running, seats[WARM_SEATS:]

    def loader(self, running: Running) -> Loader:
        return Loader(running, self.cores.load, self.plan.realtime, self.count_instructions)

    def _round(self, subject: Subject, *, number: int) -> None:
        with self.serving(subject) as (running, seats):
            used = 0
            for streams in self.plan.streams_of(number):
                if streams == 1:
                    self._cell(subject, running, seats[:1], FIRST_PACE, self.plan.first_seconds, "first", number)
                chosen = seats[used : used + streams]
                self._cell(subject, running, chosen, self.plan.pace, self.plan.seconds, "load", number)
                used += streams

    def _memory(self, subject: Subject) -> None:
        with self.serving(subject) as (running, seats):
            chosen = seats[: self.plan.memory_streams]
            self._cell(subject, running, chosen, MEMORY_PACE, 2.0, "memory", 0)

    def _cell(
        self, subject: Subject, running: Running, seats: list[Seat], pace: Pace, seconds: float, what: str, number: int
    ) -> None:
        self.provider.late_p99_ms()
        pause = FIRST_PAUSE_SECONDS if what == "first" else 0.0
        seen = self.loader(running).run(seats, pace, seconds, pause_seconds=pause, drain=what != "memory")
        cell = Cell(
            subject=subject.name, kind=subject.kind, server=subject.server, database=subject.database,
            what=what, streams=len(seats), round=number, late_p99_ms=self.provider.late_p99_ms(), seen=seen,
        )
        self.cells.append(cell)
        self.say(_line(cell))


def _line(cell: Cell) -> str:
    late = f", PROVIDER LATE {cell.late_p99_ms} ms" if cell.late_p99_ms > LATE_LIMIT_MS else ""
    faults = f", FAULTS {cell.seen.faults}" if cell.seen.faults else ""
    return (
        f"round {cell.round + 1}  {cell.subject:24} {cell.what:6} ×{cell.streams:<4} {cell.cpu_micros:6.0f} µs/token  "
        f"added TTFT p50/p95 {cell.seen.first_ms[0]:.1f}/{cell.seen.first_ms[1]:.1f} ms{late}{faults}"
    )
