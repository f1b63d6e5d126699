"""Real Celery workers as processes of their own, each in a process group, all ended with the block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.live import ROOT
from tests.waiting import wait_until

Worker = Callable[..., subprocess.Popen[bytes]]


@contextmanager
def starting(environment: Mapping[str, str], folder: Path) -> Generator[Worker]:
    """`start(*arguments, app="…", SOME_SETTING="…")` returns when the worker is ready; it does one thing at a time."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, app: str = "chatproject", **variables: str) -> subprocess.Popen[bytes]:
        log = folder / f"worker-{len(started)}.log"
        command = [
            sys.executable, "-m", "celery", "-A", app, "worker", *arguments, "--concurrency=1", "--loglevel=info",
            "--without-gossip", "--without-mingle",
        ]
        with log.open("wb") as output:
            started.append(subprocess.Popen(
                command, env={**environment, **variables}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            ))
        with explained_by(log):
            wait_until(lambda: b" ready." in log.read_bytes(), "the Celery worker", seconds=60)
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """The worker and its children, without a last word."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def explained_by(log: Path) -> Generator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-3000:]}") from None
