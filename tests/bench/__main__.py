"""The bench's command line."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import msgspec

from tests.bench import __doc__ as WHAT
from tests.bench import browser_render, durability
from tests.bench.measure import instructions_work, pin
from tests.bench.plan import Plan, Provider
from tests.bench.profiling import profile
from tests.bench.report import Report
from tests.bench.rounds import Bench
from tests.bench.server import Cores, Subject
from tests.bench.tokens import Pace

RESULTS = Path(".var/bench")
_FIGURES = """
figures:
  TTFT+          added time to first token, ms: (first token's arrival − command sent) − (provider's first token
                 sent − provider's request received). At N=1 from short answers, 100 ms apart.
  token+         added latency a token, ms: arrival − the moment the provider sent it
  CPU µs/token   user and system time of the server process for each token the provider sent
  k-instr/token  thousand instructions a token, where `perf stat` counts them: steadier than microseconds
  x bare, x floor  CPU a token against the references of the same run: instructions if counted, else microseconds
  KiB            resident memory beyond the warm server, each: sockets idle, then streaming
Neither database waits for the disk at a commit (SQLite: WAL, synchronous NORMAL; Postgres: a private one without
fsync); on a disk of yours, add what one flush takes to the TTFT of Postgres.
Every token is checked for order, gaps and repeats, every answer for its content, length and checksum.
"""


def main() -> None:
    options = _options()
    # A browser is many processes: pinning would only put them in each other's way.
    cores = Cores(None, None) if options.browser else Cores.find()
    # Everything we start inherits this core; the server alone is moved to the other.
    pin(cores.load, realtime=False)
    provider = Provider(core=cores.load, realtime=options.realtime)
    with tempfile.TemporaryDirectory(prefix="soksak-bench-") as directory:
        bench = Bench(
            plan=_plan(options), cores=cores, provider=provider, directory=Path(directory), logs=_logs(),
            say=_say, count_instructions=instructions_work(),
        )
        try:
            if options.browser:
                _browse(bench, options.rounds)
            elif options.profile:
                profile(bench, _subjects(options))
            elif options.durability:
                _measure_durability(bench, options.servers)
            else:
                _measure(bench, _subjects(options), is_judged=not options.quick)
        finally:
            provider.stop()


def _browse(bench: Bench, rounds: int) -> None:
    # Through `manage.py up`, which collects the static files as well.
    subject = Subject("soksak", "daphne", "sqlite")
    with bench.ready([subject]), bench.serving(subject) as (running, seats):
        rooms = []
        for seat in seats:
            name, _, value = seat.cookie.partition("=")
            rooms.append(((name, value), seat.path.replace("/ws/rooms/", "/rooms/")))
        browser_render.run(f"http://127.0.0.1:{running.port}", rooms, _say, rounds=rounds)


def _logs() -> Path:
    """Of the newest run only."""
    folder = RESULTS / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        log.unlink()
    return folder


def _measure(bench: Bench, subjects: list[Subject], *, is_judged: bool) -> None:
    pinned = f"core {bench.cores.server} serves, core {bench.cores.load} loads" if bench.cores.load else "NOT pinned"
    _say(f"{platform.machine()}, {os.cpu_count()} cores ({pinned}), Python {platform.python_version()}")
    _say(f"instructions: {'counted' if bench.count_instructions else 'not supported by this machine'}")
    bench.run(subjects)
    print("\n" + "\n".join(Report(bench.cells, bench.skipped, is_judged=is_judged).lines()))
    _write(bench)


def _measure_durability(bench: Bench, servers: list[str]) -> None:
    bench.run([subject for server in servers for subject in durability.subjects(server)])
    print("\n" + "\n".join(Report(bench.cells, bench.skipped, is_judged=False).lines()))
    print("\n" + "\n".join(durability.lines(bench.cells)))
    _write(bench)


def _write(bench: Bench) -> None:
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    result = {"plan": bench.plan, "cells": bench.cells, "skipped": bench.skipped}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    print(f"\nwritten to {path}; what the servers said is in {RESULTS / 'logs'}")


def _subjects(options: argparse.Namespace) -> list[Subject]:
    subjects = [Subject("floor", "raw")]
    for server in options.servers:
        subjects.append(Subject("bare", server))
        subjects += [Subject("soksak", server, database) for database in options.databases]
    return [subject for subject in subjects if subject.kind in options.only]


def _plan(options: argparse.Namespace) -> Plan:
    pace = Pace(tokens=options.tokens, rate=options.rate, delay_ms=200)
    if options.quick:
        quick = Pace(tokens=50, rate=options.rate, delay_ms=200)
        return Plan(
            streams=(1, 50), pace=quick, seconds=3.0, first_seconds=5.0, rounds=1, memory_streams=0,
            realtime=options.realtime,
        )
    return Plan(
        streams=tuple(options.streams), pace=pace, seconds=options.seconds, rounds=options.rounds,
        memory_streams=options.memory_streams, realtime=options.realtime,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=WHAT, epilog=_FIGURES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a smoke run of about a minute and a half: SQLite, 1 and 50 streams")
    add("--streams", type=int, nargs="+", default=[1, 50, 200], metavar="N", help="streams in flight (1 50 200)")
    add("--rate", type=float, default=50.0, help="tokens a second of a stream (50)")
    add("--tokens", type=int, default=200, help="tokens of an answer (200)")
    add("--seconds", type=float, default=5.0, help="how long each cell is measured (5)")
    add("--rounds", type=int, default=2, help="rounds, interleaved; those after the first repeat N=50 only (2)")
    add("--memory-streams", type=int, default=200, help="streams for the memory figures; 0 leaves them out (200)")
    add("--servers", nargs="+", default=["daphne", "uvicorn"], choices=["daphne", "uvicorn"])
    add("--databases", nargs="+", default=None, choices=["sqlite", "postgres"])
    kinds = ["floor", "bare", "soksak"]
    add("--only", nargs="+", default=kinds, choices=kinds, help="leave out some of the subjects")
    add("--durability", action="store_true", help="compare instead: nothing kept, log and checkpoint, Redis gone")
    add("--realtime", action="store_true", help="run before all other processes (SCHED_RR, needs root): steadier")
    add("--profile", action="store_true", help="show where the server's time goes at N=50 (py-spy), no figures")
    add("--browser", action="store_true", help="measure the page instead: 200 chunks a second into a long reply")
    options = parser.parse_args()
    if options.profile and options.realtime:
        parser.error("--profile with --realtime would only sample the moments in which the load client rests")
    options.databases = options.databases or (["sqlite"] if options.quick else ["sqlite", "postgres"])
    return options


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
