"""`make test`: every check in turn, also after one has failed; all share the run's private servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import playwright

from tests import services
from tests.service_base import Unavailable

ROOT = Path(__file__).parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-n", "logical", "-q"]


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


def steps(*, with_servers: bool) -> list[Step]:
    node = Path(playwright.__file__).parent / "driver" / "node"
    on_servers = Step(
        "data tests, on Postgres and Redis", [*PYTEST, "-m", "data"], {"SOKSAK_TEST_DATABASE": "postgres"}
    )
    return [
        Step("lint", [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."]),
        Step("types", [sys.executable, "-m", "mypy"]),
        Step("browser modules", [str(node), "--test", "tests/js/**/*.test.js"]),
        Step("Python, on SQLite", PYTEST),
        *([on_servers] if with_servers else []),
    ]


def main() -> int:
    with services.run():
        missing = missing_servers()
        failed = [step.name for step in steps(with_servers=not missing) if not succeeds(step)]
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


def succeeds(step: Step) -> bool:
    print(f"== {step.name}", flush=True)
    started_at = time.monotonic()
    done = subprocess.run(step.command, cwd=ROOT, env={**os.environ, **step.env}, check=False)
    outcome = "ok" if done.returncode == 0 else "FAILED"
    print(f"== {step.name}: {outcome}, {time.monotonic() - started_at:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
