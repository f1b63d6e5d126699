"""The real server as a process of its own: started, killed, restarted. Delivery is tested against nothing less."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from streaming.local_model.supervisor import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOG_TAIL_CHARS = 3000
UVICORN = [
    "-m", "uvicorn", "chatproject.asgi:application", "--host", "127.0.0.1",
    "--ws", "chatproject.lean_socket:LeanSocket", "--loop", "uvloop",
    "--http", "httptools", "--ws-per-message-deflate", "false", "--no-access-log",
    "--log-level", "warning", "--timeout-graceful-shutdown", "10", "--port",
]
PLAIN_DAPHNE = ["-m", "daphne", "-b", "127.0.0.1", "chatproject.asgi:application", "-p"]
DAPHNE = ["manage.py", "up", "--no-model", "--no-admin", "--port"]


class LiveServer:
    """`server` is daphne (by `manage.py up`), plain daphne or uvicorn. Port and data outlive its restarts."""

    def __init__(
        self, folder: Path, *, server: str = "daphne", env: Mapping[str, str] | None = None, port: int | None = None,
        host_name: str = "",
    ) -> None:
        """`folder` is its SOKSAK_DATA_DIR; for uvicorn its database must be prepared.

        `host_name`: it takes itself for a machine of this name.
        """
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self.env = {
            "DJANGO_SETTINGS_MODULE": "chatproject.settings",
            "SITE_URL": self.url,
            "SOKSAK_DATA_DIR": str(folder),
            "LOG_LEVEL": "INFO",
            "PYTHONFAULTHANDLER": "1",
            **(env or {}),
        }
        self.log = folder / "server.log"
        arguments = {"daphne": DAPHNE, "plain daphne": PLAIN_DAPHNE, "uvicorn": UVICORN}[server]
        self._arguments = ["-m", "tests.elsewhere", host_name, *arguments] if host_name else arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when /healthz answers 200. Raises AssertionError with the end of the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments, str(self.port)],
                cwd=ROOT, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        try:
            wait_until(self._answers, f"the server on port {self.port}", seconds=START_SECONDS)
        except AssertionError as error:
            self.end()
            raise AssertionError(f"{error}\n{self.log_text()[-LOG_TAIL_CHARS:]}") from None

    def restart(self) -> None:
        """A new process on the same port, data and environment; the old one must have ended."""
        assert self._process is None
        self.start()

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def pause(self) -> None:
        """It stands still and does not know: its clock goes on, its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill9(self) -> None:
        """As a crash would: no goodbye, no flush."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def terminate(self, *, with_signal: int = signal.SIGTERM) -> int:
        """As an operator would. Returns its exit code; uvicorn's is the signal's negative number."""
        assert self._process is not None
        self._process.send_signal(with_signal)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its log then says where each thread stood still.
            self._process.send_signal(signal.SIGABRT)
            raise
        self._process = None
        return code

    def end(self) -> None:
        """Whatever state it is in."""
        if self._process is None:
            return
        self.go_on()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended with {self._process.returncode}")
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5.0)) as connection:
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False
