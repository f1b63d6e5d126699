"""The process under test: how each subject is started, pinned, found and ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.measure import BenchError, pin

START_SECONDS = 60.0
STOP_SECONDS = 15.0
_UVICORN = [
    "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools",
    "--ws-per-message-deflate", "false", "--no-access-log", "--host", "127.0.0.1", "--port",
]
#: The product has a protocol of its own; the smallest relay has uvicorn's.
_WS = {"soksak": "chatproject.lean_socket:LeanSocket", "bare": "websockets-sansio"}
_DAPHNE = ["-m", "tests.bench.daphne_uvloop", "--bind", "127.0.0.1", "--port"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: `kind` soksak, bare or floor; `server` daphne, uvicorn or raw; `database` or "".

    `keeps`: which stores it writes an answer to, as in durability.Keeps; "": a server alone, without Redis.
    `measures`: with its instrumentation, as it always is; False takes it out, to see what it costs.
    """

    kind: str
    server: str
    database: str = ""
    keeps: str = ""
    measures: bool = True

    @property
    def name(self) -> str:
        silent = "" if self.measures else "uninstrumented"
        return " ".join(part for part in (self.kind, self.server, self.database, self.keeps, silent) if part)

    @property
    def is_reported_to(self) -> bool:
        """Browsers tell it what they measured."""
        return self.kind == "soksak" and self.measures

    def arguments(self, port: int) -> list[str]:
        """Arguments of the Python that serves it on `port`."""
        arguments = self._arguments(port)
        return arguments if self.measures else ["-m", "tests.bench.uninstrumented", *arguments]

    def _arguments(self, port: int) -> list[str]:
        if self.kind == "floor":
            return ["-m", "tests.bench.floor", str(port)]
        if self.kind == "soksak" and self.server == "daphne":
            return ["manage.py", "up", "--no-model", "--no-admin", "--port", str(port)]
        application = "chatproject.asgi:application" if self.kind == "soksak" else "tests.bench.bare:application"
        if self.server == "daphne":
            return [*_DAPHNE, str(port), application]
        return [*_UVICORN, str(port), "--ws", _WS[self.kind], application]


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core serves and which carries the load; None where there is only one, and nothing is pinned."""

    server: int | None
    load: int | None

    @staticmethod
    def find() -> Cores:
        usable = sorted(os.sched_getaffinity(0))
        return Cores(usable[0], usable[1]) if len(usable) > 1 else Cores(None, None)


@dataclass(frozen=True, slots=True)
class Running:
    """`pid` is the process that listens, `launched` the one we started: it may be its parent."""

    port: int
    pid: int
    launched: subprocess.Popen[bytes]


@contextlib.contextmanager
def serve(
    subject: Subject, *, environment: dict[str, str], core: int | None, realtime: bool, log: Path
) -> Iterator[Running]:
    """Start it, wait until it listens, and end it with everything it started."""
    port = _free_port()
    with log.open("ab") as output:
        launched = subprocess.Popen(
            [sys.executable, *subject.arguments(port)],
            env={**environment, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lambda: pin(core, realtime=realtime),
        )
    try:
        yield Running(port, _listener(launched, port, log), launched)
    finally:
        _stop(launched)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listener(launched: subprocess.Popen[bytes], port: int, log: Path) -> int:
    """The pid that listens on `port`, among the launched process and its children."""
    deadline = time.monotonic() + START_SECONDS
    root = psutil.Process(launched.pid)
    while time.monotonic() < deadline and launched.poll() is None:
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections()):
                    return process.pid
        time.sleep(0.1)
    _stop(launched)
    raise BenchError(f"The server did not start to listen; the end of {log}:\n{log.read_text()[-2000:]}")


def _stop(launched: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(launched.pid).children(recursive=True)
        launched.terminate()
        _, alive = psutil.wait_procs([psutil.Process(launched.pid), *family], timeout=STOP_SECONDS)
        for process in alive:
            process.kill()
    launched.wait()
