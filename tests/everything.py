"""`make test`: every check, also after one has failed; in lanes side by side, as tests that wait leave cores idle.

The tests on SQLite are the longest lane and are seen live, on the run's shared servers; the data tests have a Postgres
and a Redis of their own; what needs no server runs beside both. What another lane says is told when a step has ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import playwright

from tests import services
from tests.service_base import Unavailable

ROOT = Path(__file__).parent.parent
#: Unset in every step: with it, hundreds of processes would each compile the same modules anew.
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Step:
    """`is_apart`: with servers of its own, not those of the run. `is_live`: its output is passed on as it comes."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    is_apart: bool = False
    is_live: bool = False


Lane = Sequence[Step]


def lanes(*, with_servers: bool) -> list[Lane]:
    on_sqlite = Step("Python, on SQLite", pytest_on("logical"), is_live=True)
    on_servers = Step(
        "data tests, on Postgres and Redis", [*pytest_on(str(max(1, (os.cpu_count() or 1) // 2))), "-m", "data"],
        {"SOKSAK_TEST_DATABASE": "postgres"}, is_apart=True,
    )
    return [[on_sqlite], [on_servers] if with_servers else [], without_servers()]


def pytest_on(workers: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-n", workers]


def without_servers() -> Lane:
    """Behind the others: tests have deadlines, these have none."""
    behind = ["nice", "-n", "10"] if shutil.which("nice") else []
    node = Path(playwright.__file__).parent / "driver" / "node"
    return [
        Step("lint", [*behind, sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."]),
        Step("types", [*behind, sys.executable, "-m", "mypy"]),
        Step("browser modules", [*behind, str(node), "--test", "tests/js/**/*.test.js"]),
    ]


def main() -> int:
    with services.run():
        missing = missing_servers()
        failed = failed_of(lanes(with_servers=not missing))
    if os.environ.get("CI") == "true":
        failed += missing
    print("".join(f"FAILED: {name}\n" for name in failed), end="", flush=True)
    return 1 if failed else 0


def missing_servers() -> list[str]:
    """What cannot be run here and why; in CI each is a failure."""
    missing = []
    for name in ("postgres", "redis"):
        try:
            services.ensure(name)
        except Unavailable as error:
            missing.append(f"NOT RUN: what needs {name} ({error})")
    print("".join(f"{line}\n" for line in missing), end="", flush=True)
    return missing


def failed_of(side_by_side: Sequence[Lane]) -> list[str]:
    """The names of the steps that failed; a lane goes on after one."""
    with ThreadPoolExecutor(len(side_by_side)) as threads:
        failed = threads.map(lambda lane: [step.name for step in lane if not succeeds(step)], side_by_side)
        return [name for names in failed for name in names]


def succeeds(step: Step) -> bool:
    started_at = time.monotonic()
    said = None if step.is_live else subprocess.PIPE
    done = subprocess.run(
        step.command, cwd=ROOT, env=environment(step), stdout=said, stderr=subprocess.STDOUT if said else None,
        check=False, text=True, errors="replace",
    )
    outcome = "ok" if done.returncode == 0 else "FAILED"
    ending = f"== {step.name}: {outcome}, {time.monotonic() - started_at:.0f} s"
    # In one piece: the other lanes speak too.
    print(f"\n== {step.name}\n{done.stdout or ''}{ending}\n", end="", flush=True)
    return done.returncode == 0


def environment(step: Step) -> dict[str, str]:
    dropped = {NO_BYTECODE, *((services.RUN_FOLDER, services.RUN_OWNER) if step.is_apart else ())}
    return {name: value for name, value in os.environ.items() if name not in dropped} | step.env


if __name__ == "__main__":
    sys.exit(main())
