"""Keeps the model's child process running: one thread, usable without Django.

A child that dies is started again on the same port, later each time; one that stays up resets the wait.
"""

from __future__ import annotations

import http.client
import logging
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

logger = logging.getLogger(__name__)

HEALTH_PERIOD_SECONDS = 0.1
END_PERIOD_SECONDS = 0.25
HEALTH_TIMEOUT_SECONDS = 2.0
#: A child that does not answer by then has failed to start.
START_SECONDS = 120.0
STOP_SECONDS = 5.0
BACKOFF_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 30.0
#: Up for so long, a child counts as healthy and the backoff starts over.
STABLE_SECONDS = 60.0


class LocalModel:
    """`url` is valid from the start; requests to it succeed while `ready` is set."""

    def __init__(self, *, port: int | None = None, log_path: Path | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.ready = threading.Event()
        self.restarts = 0
        self._log_path = log_path
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="local-model", daemon=True)

    @property
    def pid(self) -> int | None:
        """The child's, while there is one."""
        child = self._child
        return child.pid if child and child.poll() is None else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the child; returns when it is gone."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _supervise(self) -> None:
        # The kernel ties the child's life to the thread that made it, so this thread outlives every child.
        delay = BACKOFF_SECONDS
        while not self._stopping.is_set():
            started_at = time.monotonic()
            self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started_at > STABLE_SECONDS:
                delay = BACKOFF_SECONDS
            logger.warning("The local model's process ended; starting it again in %.1f s", delay)
            self._stopping.wait(delay)
            delay = min(delay * 2, BACKOFF_MAX_SECONDS)
            self.restarts += 1

    def _run_once(self) -> None:
        """One child from start to end."""
        self._child = child = self._spawn()
        try:
            if self._becomes_healthy(child):
                self.ready.set()
                self._wait_for_end(child)
        finally:
            self.ready.clear()
            end(child)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "streaming.local_model.server", "--port", str(self.port)]
        root = Path(__file__).resolve().parent.parent.parent
        if self._log_path is None:
            return subprocess.Popen(
                command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        with self._log_path.open("wb") as log:
            return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def _becomes_healthy(self, child: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            if is_healthy(self.port):
                return True
            if self._stopping.wait(HEALTH_PERIOD_SECONDS):
                return False
        return False

    def _wait_for_end(self, child: subprocess.Popen[bytes]) -> None:
        while child.poll() is None and not self._stopping.wait(END_PERIOD_SECONDS):
            pass


def end(child: subprocess.Popen[bytes]) -> None:
    """Closes its stdin, which it takes as the order to end; kills it when it does not."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def is_healthy(port: int) -> bool:
    """200 from /health; it says 503 while the weights load."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_TIMEOUT_SECONDS)
    with closing(connection):
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def free_port() -> int:
    """A port that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
