"""A live server with its database and the scripted models behind it: what a fault needs to happen to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.faults.rows import Rows
from tests.live import LiveServer
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer
from tests.service_base import Unavailable

Stack = tuple[str, str]

#: What every live server of these rooms is told: tests share addresses, and people are never that quick.
ENV = {
    "CHAT_GUESTS_PER_HOUR": "100000", "CHAT_TURNS_PER_MINUTE": "100000", "CHAT_COMMANDS_PER_MINUTE": "100000",
    # A test's route is there for its very first turn.
    "ROUTES_CACHE_SECONDS": "0",
}
#: Shown when the test has failed.
LOG_TAIL_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Site:
    server: LiveServer
    models: RunningServer

    @property
    def rows(self) -> Rows:
        return Rows(self.server.env["DATABASE_URL"], Path(self.server.env["SOKSAK_DATA_DIR"]))

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def ws_url(self) -> str:
        return self.server.ws_url

    def add_model(self, behaviour: str, **route: Any) -> str:
        """Answers come from this scripted model (tests/provider_behaviour.py); returns its name, which is its own."""
        name = f"{behaviour}+id-{uuid4().hex[:12]}"
        self.rows.add_route(name, **{"model": name, "base_url": self.models.openai_url, **route})
        return name

    def asked(self, model: str) -> int:
        """How often the model has been called."""
        return len(self.models.seen(model))

    def metric(self, name: str) -> float:
        """A gauge or counter of /metrics without labels."""
        with urlopen(f"{self.url}/metrics") as response:
            lines = response.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@contextmanager
def opening(
    stack: Stack, models: RunningServer, databases: LiveDatabases, folder: Path
) -> Iterator[Callable[..., Site]]:
    """`open_one(SOME_SETTING="…")` starts a server of the stack (server, database); all end with the block."""
    server, database = stack
    opened: list[LiveServer] = []

    def open_one(**env: str) -> Site:
        data = folder / f"server-{len(opened)}"
        try:
            url = databases.copy(database, data)
        except Unavailable as error:
            pytest.skip(str(error))
        opened.append(LiveServer(data, server=server, env={"DATABASE_URL": url, **ENV, **env}))
        opened[-1].start()
        return Site(opened[-1], models)

    yield open_one
    for live in opened:
        live.end()
        print(live.log_text()[-LOG_TAIL_CHARS:])


def port_of(models: RunningServer) -> int:
    port = urlsplit(models.base_url).port
    assert port is not None
    return port
