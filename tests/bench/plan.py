"""What is run at which pace, and one cell of it carried out."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass

import msgspec

from tests.bench.client import Load, Seen
from tests.bench.conversation import Manner, Seat
from tests.bench.measure import BenchError, Rank, pin
from tests.bench.server import Running
from tests.bench.tokens import Pace

LOAD_PACE = Pace(tokens=200, rate=50, delay_ms=200)
#: Short answers, one after the other: enough first tokens at one stream for a percentile.
FIRST_PACE = Pace(tokens=5, rate=50, delay_ms=50)
#: Nobody answers at the very moment in which an answer ends: what a server does after an answer, and the browser's
#: report of it, must not delay the next one.
PAUSE_SECONDS = 0.1
#: Slow streams, so that memory is read while every one is in flight and the core is not full.
SLOW_PACE = Pace(tokens=40, rate=4, delay_ms=200)
WARM_PACE = Pace(tokens=20, rate=100, delay_ms=20)
#: At once, so that every thread and cache a server grows once is there before its memory is read.
WARM_SEATS = 8
#: Above this the provider or the client, not the server, may have been the slow one.
LATE_LIMIT_MS = 10.0
#: Of a core: a server that takes more has no time to spare, and what is late may be late because of it.
BUSY_PERCENT = 88.0
#: Below this neither the server nor its load, which costs less than any server, can have been full.
EASY_PERCENT = 60.0
CELL_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`streams` are run in the first round; later rounds repeat `repeat_at`, where ratios are read.

    `fast_rate`: tokens a second of the second pace, at `repeat_at` streams; 0 leaves it out.
    """

    streams: tuple[int, ...] = (1, 50, 200, 500)
    pace: Pace = LOAD_PACE
    fast_rate: float = 100.0
    seconds: float = 5.0
    first_seconds: float = 10.0
    rounds: int = 2
    repeat_at: int = 50
    #: Streams at which memory is read, and at which slow streams' first words are; 0 leaves them out.
    memory_streams: int = 300
    slow_streams: int = 150
    #: Probes of one search for a capacity, at most.
    probes: int = 5
    #: Pairs of cells with instrumentation on and off; in fours every order of the two is there equally often.
    pairs: int = 8
    #: Of each of the two: many answers on each stream, so that what one costs is not lost in the noise.
    pair_streams: int = 75
    pair_seconds: float = 20.0
    #: Streams a core is expected to carry, where it has not been measured in this run.
    capacity: int = 100
    seats: int = 2000
    realtime: bool = False

    def streams_of(self, round_number: int) -> tuple[int, ...]:
        return self.streams if round_number == 0 else tuple(n for n in self.streams if n == self.repeat_at)

    @property
    def fast_pace(self) -> Pace:
        """The same answer, sooner."""
        return Pace(self.pace.tokens, self.fast_rate, self.pace.delay_ms)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `what`: load, first (short answers, one stream), or the section it belongs to."""

    subject: str
    kind: str
    server: str
    database: str
    what: str
    streams: int
    round: int
    late_p99_ms: float
    seen: Seen
    path: str = "socket"
    rate: float = 50.0
    processes: int = 1
    #: What the process was told of requests at a time; 0: no bound.
    calls_most: int = 0

    @property
    def cpu_micros(self) -> float:
        return self.seen.cpu_seconds / max(1, self.seen.tokens) * 1e6

    @property
    def kilo_instructions(self) -> float | None:
        counted = self.seen.instructions
        return None if counted is None else counted / max(1, self.seen.tokens) / 1000

    @property
    def frames_per_token(self) -> float:
        return self.seen.frames / max(1, self.seen.tokens)

    @property
    def core_percent(self) -> float:
        return self.seen.cpu_seconds / self.seen.seconds * 100

    @property
    def is_late(self) -> bool:
        """The provider, and with it the client beside it, had not enough of its core."""
        return self.late_p99_ms > LATE_LIMIT_MS


class Provider:
    """The provider's process."""

    def __init__(self, *, core: int | None, realtime: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.provider"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=lambda: pin(core, realtime=realtime, rank=Rank.MODEL),
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def late_p99_ms(self) -> float:
        """How far behind its own schedule, since the last time it was asked."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=10) as answer:
            return float(json.load(answer)["lateP99Ms"])

    def stop(self) -> None:
        # Closes its stdin, which it waits for, and then waits for it.
        self._process.communicate(timeout=10)


@dataclass(frozen=True, slots=True)
class Job:
    """What one cell asks of a load client."""

    what: str
    pace: Pace
    seconds: float
    path: str = "socket"
    drain: bool = True
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Loader:
    """Runs load clients against one server process."""

    running: Running
    core: int | None
    realtime: bool
    count_instructions: bool

    def run(self, seats: list[Seat], job: Job) -> Seen:
        load = Load(
            port=self.running.port, pid=self.running.pid, seats=seats, seconds=job.seconds, path=job.path,
            manner=Manner(pace=job.pace, pause_seconds=PAUSE_SECONDS, reports=job.reports),
            drain=job.drain, count_instructions=self.count_instructions,
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.client"],
            input=msgspec.json.encode(load), capture_output=True, timeout=CELL_SECONDS, check=False,
            preexec_fn=lambda: pin(self.core, realtime=self.realtime, rank=Rank.READERS),
        )
        if done.returncode:
            said = done.stderr.decode().strip().splitlines() or [f"exit code {done.returncode}"]
            raise BenchError(f"The load client failed: {said[-1]}")
        return msgspec.json.decode(done.stdout, type=Seen)
