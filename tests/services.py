"""Private, throwaway servers for one test run: Postgres, Redis, the packaged model; never what happens to listen.

Started by whoever asks first, shared by all processes of the run. Each is held by a keeper process, which
ends it with the run, also when the run was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from streaming.local_model.supervisor import LocalModel
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer
from tests.service_base import Service, Unavailable
from tests.waiting import wait_until

RUN_FOLDER = "SOKSAK_TEST_RUN"
RUN_OWNER = "SOKSAK_TEST_RUN_OWNER"
OWNER_CHECK_SECONDS = 0.5
START_SECONDS = 90.0
STOP_SECONDS = 30.0


class ModelServer:
    def __init__(self, folder: Path) -> None:
        self._model = LocalModel(log_path=folder / "model.log")

    def start(self) -> str:
        self._model.start()
        if not self._model.ready.wait(START_SECONDS):
            raise Unavailable("The packaged model did not start.")
        return self._model.url

    def stop(self) -> None:
        self._model.stop()


SERVICES: dict[str, Callable[[Path], Service]] = {
    "postgres": PostgresServer, "redis": RedisServer, "model": ModelServer,
}


# --- the run -------------------------------------------------------------------------------------


@contextlib.contextmanager
def run() -> Iterator[Path]:
    """The folder of this test run, known to all its processes by the environment; gone afterwards, servers included.

    Within another run it has servers of its own.
    """
    folder = make_run_folder()
    outer = {name: os.environ[name] for name in (RUN_FOLDER, RUN_OWNER) if name in os.environ}
    os.environ |= {RUN_FOLDER: str(folder), RUN_OWNER: str(os.getpid())}
    try:
        yield folder
    finally:
        del os.environ[RUN_FOLDER], os.environ[RUN_OWNER]
        os.environ |= outer
        end_run(folder)


def make_run_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="soksak-test-", dir="/tmp" if os.geteuid() == 0 else None))  # noqa: S108
    # As root, Postgres runs as nobody and has to get to its own folder in here.
    folder.chmod(0o711)
    return folder


def end_run(folder: Path) -> None:
    keepers = [_process(path) for path in folder.glob("*.pid")]
    alive = [keeper for keeper in keepers if keeper is not None]
    for keeper in alive:
        keeper.terminate()
    wait_until(lambda: not any(map(is_alive, alive)), "the test servers to end", seconds=STOP_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _process(pid_file: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int(pid_file.read_text()))
    except psutil.NoSuchProcess:
        return None


def is_alive(process: psutil.Process) -> bool:
    """False also for a zombie that nobody reaps, and for a new process that got its number."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# --- asking --------------------------------------------------------------------------------------


def ensure(name: str) -> str:
    """URL of the run's one server of this name. Raises Unavailable."""
    folder = Path(os.environ[RUN_FOLDER])
    answer = folder / f"{name}.answer"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            command = [sys.executable, "-m", "tests.services", name, str(folder), os.environ[RUN_OWNER]]
            subprocess.run(command, check=True, cwd=Path(__file__).parent.parent, stdin=subprocess.DEVNULL)
            wait_until(answer.exists, f"the test server {name}", seconds=START_SECONDS)
    kind, _, text = answer.read_text().partition(" ")
    if kind != "url":
        raise Unavailable(text)
    return text


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """DATABASE_URL of a Postgres of one's own, outside any test run."""
    with run():
        yield ensure("postgres")


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """REDIS_URL (without a database number) of a Redis of one's own, outside any test run."""
    with run():
        yield ensure("redis")


# --- the keeper ----------------------------------------------------------------------------------


def keep(name: str, folder: Path, owner: psutil.Process) -> None:
    """Start it, say where it is, and hold it until told to end or until the run's owner is gone."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    (folder / f"{name}.pid").write_text(str(os.getpid()))
    own_folder = folder / name
    own_folder.mkdir()
    service = SERVICES[name](own_folder)
    try:
        _answer(folder, name, _start(service))
        while not ended.wait(OWNER_CHECK_SECONDS) and is_alive(owner):
            pass
    finally:
        service.stop()
        if not is_alive(owner):
            shutil.rmtree(folder, ignore_errors=True)


def _start(service: Service) -> str:
    try:
        return f"url {service.start()}"
    except (Unavailable, AssertionError, OSError) as error:
        return f"unavailable {error}"


def _answer(folder: Path, name: str, text: str) -> None:
    draft = folder / f"{name}.draft"
    draft.write_text(text)
    draft.rename(folder / f"{name}.answer")


def _become_keeper(folder: Path, name: str) -> None:
    """Out of the asker's family and session: Ctrl-C and its end are the owner's business."""
    if os.fork():
        os._exit(0)
    os.setsid()
    with (folder / f"{name}.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


if __name__ == "__main__":
    _name, _folder, _owner = sys.argv[1], Path(sys.argv[2]), psutil.Process(int(sys.argv[3]))
    _become_keeper(_folder, _name)
    keep(_name, _folder, _owner)
