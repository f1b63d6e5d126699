"""Several real processes of the product, as on several machines: one Postgres, one Redis, a front door.

Everything between them can break: each process by signals, each line by its FaultProxy.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import redis

from tests import faultproxy, services
from tests.faultproxy import FaultProxy
from tests.faults.front_door import FrontDoor
from tests.faults.rows import Rows
from tests.faults.site import ENV, LOG_TAIL_CHARS
from tests.live import LiveServer
from tests.live_databases import LiveDatabases, prepare
from tests.postgres_server import PostgresServer
from tests.provider_server import RunningServer
from tests.redis_server import RedisServer
from tests.waiting import wait_until

#: A dead process is noticed soon.
QUICK = {"STREAM_LEASE_SECONDS": "2", "STREAM_CHECKPOINT_SECONDS": "0.5"}
#: A dead line, too. Many conversations may be one guest's.
WIDE = {
    "STREAM_HEARTBEAT_SECONDS": "1",
    "CHAT_GENERATIONS_PER_USER": "1000", "CHAT_SOCKETS_PER_USER": "1000", "LOG_LEVEL": "INFO",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    workers: list[LiveServer]
    front: FrontDoor
    models: RunningServer
    rows: Rows
    redis: RedisServer
    #: From the workers to Redis and to Postgres.
    redis_line: FaultProxy
    database_line: FaultProxy
    #: Its own, which can be restarted; None: the run's, which others use too.
    postgres: PostgresServer | None = None

    @property
    def url(self) -> str:
        return self.front.url

    @property
    def ws_url(self) -> str:
        return self.front.url.replace("http://", "ws://")

    def add_route(self, name: str, **fields: Any) -> None:
        """To the directed model: each message says what its answer is like (tests/faults/script.py)."""
        self.rows.add_route(name, **{"model": "directed", "base_url": self.models.openai_url, **fields})

    def metric(self, worker: int, name: str) -> float | None:
        """A worker's gauge or counter of /metrics without labels; None when it has none of this name."""
        with urlopen(f"{self.workers[worker].url}/metrics") as response:
            lines = response.read().decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)

    def flush_redis(self) -> None:
        with redis.Redis(port=self.redis.port) as client:
            client.flushall()

    def heal(self) -> None:
        """Every process runs, every line is good."""
        if not self.redis.is_running:
            self.redis.start()
        for line in (self.database_line, self.redis_line, self.front):
            line.flow()
        self.front.prefer()
        in_parallel([worker.start for worker in self.workers if not worker.is_running])
        wait_until(lambda: all(self.front.is_well(worker.port) for worker in self.workers), "all workers to be well")


def in_parallel(actions: list[Callable[[], object]]) -> None:
    """Each in a thread; returns when all have; raises what one raised."""
    if actions:
        with ThreadPoolExecutor(len(actions)) as threads:
            for done in [threads.submit(action) for action in actions]:
                done.result()


@contextmanager
def standing(
    models: RunningServer, databases: LiveDatabases, folder: Path, *,
    workers: int = 2, server: str = "uvicorn", own_postgres: bool = False, env: Mapping[str, str] = QUICK,
) -> Iterator[Cluster]:
    """A cluster, ready; all of it ends with the block. `server` as in LiveServer. Raises Unavailable."""
    with ExitStack() as lives:
        data = folder / "data"
        postgres, url = _own_database(lives, data) if own_postgres else (None, databases.copy("postgres", data))
        store = _own_redis(lives, folder)
        redis_line = lives.enter_context(faultproxy.running(store.port))
        database_line = lives.enter_context(faultproxy.running(urlsplit(url).port or 0))
        told = {
            "DATABASE_URL": at_port(url, database_line.port), "REDIS_URL": f"redis://127.0.0.1:{redis_line.port}/0",
            "SOKSAK_DATA_DIR": str(data), **ENV, **WIDE, **env,
        }
        lives_on = [_worker(lives, folder, server, told, number) for number in range(workers)]
        in_parallel([worker.start for worker in lives_on])
        front = FrontDoor([worker.port for worker in lives_on])
        front.start()
        lives.callback(front.stop)
        yield Cluster(lives_on, front, models, Rows(url, data), store, redis_line, database_line, postgres)


def _worker(lives: ExitStack, folder: Path, server: str, env: Mapping[str, str], number: int) -> LiveServer:
    worker = LiveServer(folder / f"worker-{number}", server=server, env=env, host_name=f"machine-{number}")
    lives.callback(_end, worker)
    return worker


def _end(worker: LiveServer) -> None:
    worker.end()
    # For pytest, which shows it beside a failure; a storm's figures are not to be buried in it.
    if worker.log.exists() and "PYTEST_CURRENT_TEST" in os.environ:
        print(f"== {worker.log.parent.name}\n{worker.log_text()[-LOG_TAIL_CHARS:]}")


def _own_redis(lives: ExitStack, folder: Path) -> RedisServer:
    store = RedisServer(_made(folder / "redis"))
    store.start()
    lives.callback(store.stop)
    return store


def _own_database(lives: ExitStack, data: Path) -> tuple[PostgresServer, str]:
    # In the run's folder: the user nobody, whom Postgres runs as when we are root, gets there.
    postgres = PostgresServer(Path(tempfile.mkdtemp(dir=os.environ[services.RUN_FOLDER])))
    url = postgres.start()
    lives.callback(postgres.stop)
    prepare(url, _made(data))
    return postgres, url


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def at_port(url: str, port: int) -> str:
    """The same user, path and host, at another port."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.hostname}:{port}"))


