"""`python -m tests.bench`: the sections one after the other, told and kept."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import browser_render, capacity, cost, durability, load, overload, processes, report
from tests.bench.docs import newest, write_docs
from tests.bench.measure import instructions_work, pin
from tests.bench.options import parse, plan_of, subjects_of
from tests.bench.plan import Provider
from tests.bench.profiling import profile
from tests.bench.result import Machine, Result, command_line, today
from tests.bench.rounds import Bench
from tests.bench.server import Cores, Subject

RESULTS = Path(".var/bench")
Section = Callable[[Bench, list[Subject]], None]
SECTIONS: dict[str, Section] = {
    "load": load.load, "paths": load.paths, "slow": load.slow, "capacity": capacity.capacity,
    "overload": overload.overload, "processes": processes.processes, "instrumentation": cost.instrumentation,
}


def main() -> None:
    options = parse(sys.argv[1:])
    if options.write_docs is not None:
        for path in write_docs(Path(options.write_docs) if options.write_docs else newest(RESULTS)):
            _say(f"written: {path}")
        return
    # A browser is many processes: pinning would only put them in each other's way.
    cores = Cores(None, None) if options.browser else Cores.find()
    # Everything we start inherits this core; the server alone is moved to the other.
    pin(cores.load, realtime=False)
    provider = Provider(core=cores.load, realtime=options.realtime)
    with tempfile.TemporaryDirectory(prefix="soksak-bench-") as directory:
        bench = Bench(
            plan=plan_of(options), cores=cores, provider=provider, directory=Path(directory), logs=_logs(),
            say=_say, count_instructions=instructions_work(),
        )
        try:
            _run(bench, options)
        finally:
            provider.stop()


def _run(bench: Bench, options: argparse.Namespace) -> None:
    if options.browser:
        _browse(bench, options.rounds)
    elif options.profile:
        profile(bench, subjects_of(options))
    elif options.durability:
        _measure_durability(bench, options.servers)
    else:
        _measure(bench, subjects_of(options), options.sections, is_judged=not options.quick)


def _browse(bench: Bench, rounds: int) -> None:
    # Through `manage.py up`, which collects the static files as well.
    subject = Subject("soksak", "daphne", "sqlite")
    with bench.ready([subject]), bench.serving(subject) as served:
        rooms = []
        for seat in served.seats:
            name, _, value = seat.cookie.partition("=")
            rooms.append(((name, value), seat.path.replace("/ws/rooms/", "/rooms/")))
        browser_render.run(f"http://127.0.0.1:{served.running.port}", rooms, _say, rounds=rounds)


def _logs() -> Path:
    """Of the newest run only."""
    folder = RESULTS / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        log.unlink()
    return folder


def _measure(bench: Bench, subjects: list[Subject], sections: list[str], *, is_judged: bool) -> None:
    pinned = f"core {bench.cores.server} serves, core {bench.cores.load} loads" if bench.cores.load else "NOT pinned"
    _say(f"{platform.machine()}, {os.cpu_count()} cores ({pinned}), Python {platform.python_version()}")
    _say(f"instructions: {'counted' if bench.count_instructions else 'not supported by this machine'}")
    path = _path()
    with bench.ready(subjects):
        for name in sections:
            began = time.monotonic()
            SECTIONS[name](bench, subjects)
            # After each: a long run that breaks off is not lost.
            _write(bench, path)
            _say(f"{name}: {time.monotonic() - began:.0f} s")
    print("\n" + "\n".join(report.lines(bench.cells, bench.skipped, is_judged=is_judged)))
    _tell_where(path)


def _measure_durability(bench: Bench, servers: list[str]) -> None:
    subjects = [subject for server in servers for subject in durability.subjects(server)]
    path = _path()
    with bench.ready(subjects):
        load.load(bench, subjects)
    _write(bench, path)
    print("\n" + "\n".join(report.lines(bench.cells, bench.skipped, is_judged=False)))
    print("\n".join(durability.lines(bench.cells)))
    _tell_where(path)


def _path() -> Path:
    return RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"


def _write(bench: Bench, path: Path) -> None:
    Result(
        command=command_line(sys.argv[1:]), date=today(), plan=bench.plan, cells=bench.cells, skipped=bench.skipped,
        machine=Machine.here(bench.cores, counts_instructions=bench.count_instructions),
    ).write(path)


def _tell_where(path: Path) -> None:
    print(f"\nwritten to {path}; what the servers said is in {RESULTS / 'logs'}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
