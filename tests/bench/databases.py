"""A database for every server process: prepared once, copied fresh for each, so that no run inherits another's rows."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
from psycopg import sql

from tests.bench.conversation import Seat
from tests.bench.measure import BenchError, Rank, hurry, listener
from tests.service_base import Unavailable
from tests.services import postgres_server

#: The product's own limits, out of the way: the bench measures the path, not the limiter.
_LIMITS = {
    "CHAT_TURNS_PER_MINUTE": "1000000",
    "CHAT_COMMANDS_PER_MINUTE": "1000000",
    "CHAT_GENERATIONS_PER_USER": "1000",
    "CHAT_SOCKETS_PER_USER": "1000",
    "ADMISSION_MAX_CALLS": "0",
}
#: Whatever model this machine is set up for must not be asked.
_FOREIGN = (
    "PROVIDER_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "REDIS_", "CHAT_", "STREAM_", "ADMISSION_",
    "HEDGE_", "OTEL_", "LOG_",
)


class Template(Protocol):
    """Where the prepared database is and how a copy of it is made."""

    prepared_url: str

    def copy(self) -> str:
        """DATABASE_URL of a fresh copy."""
        ...


class SqliteTemplate:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = itertools.count()
        self.prepared_url = f"sqlite:///{directory / 'prepared.sqlite3'}"

    def copy(self) -> str:
        target = self._directory / f"copy-{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._directory / "prepared.sqlite3", target)
        return f"sqlite:///{target}"


class PostgresTemplate:
    """`server_url` is a private server's, which never waits for a disk. Each copy is made by Postgres itself."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._numbers = itertools.count()
        self.prepared_url = self._create("bench_prepared", "template0")

    def copy(self) -> str:
        return self._create(f"bench_copy_{next(self._numbers)}", "bench_prepared")

    def _create(self, name: str, template: str) -> str:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(command)
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{name}"))


class Prepared:
    """A prepared database with its seats; the n-th seat's model is the n-th provider, round and round.

    `environment()` is a server's, on a fresh copy.
    """

    def __init__(self, template: Template, directory: Path, provider_urls: list[str], seats: int) -> None:
        self._template = template
        self._settings = {
            **_LIMITS, "SECRET_KEY": secrets.token_hex(32), "SOKSAK_DATA_DIR": str(directory), "LANGUAGE_CODE": "en",
            "DJANGO_SETTINGS_MODULE": "chatproject.settings", "ALLOW_PROVIDER_REQUESTS": "true",
        }
        self.seats = self._prepare(provider_urls, seats)

    def _prepare(self, provider_urls: list[str], seats: int) -> list[Seat]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.prepare", str(seats), *provider_urls],
            env=self._environment(self._template.prepared_url), capture_output=True, check=False,
        )
        if done.returncode:
            raise BenchError(f"Preparing the database failed:\n{done.stderr.decode()[-2000:]}")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Seat])

    def environment(self) -> dict[str, str]:
        return self._environment(self._template.copy())

    def _environment(self, url: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {**ours, **self._settings, "DATABASE_URL": url}


@contextlib.contextmanager
def prepared(
    kind: str, directory: Path, *, provider_urls: list[str], seats: int, realtime: bool
) -> Iterator[Prepared]:
    """`kind` is sqlite or postgres; the Postgres server is a private one that ends with us."""
    directory.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield Prepared(SqliteTemplate(directory), directory, provider_urls, seats)
        return
    try:
        with postgres_server() as server_url:
            if realtime:
                hurry(listener(urlsplit(server_url).port), Rank.STORE)
            yield Prepared(PostgresTemplate(server_url), directory, provider_urls, seats)
    except Unavailable as error:
        raise BenchError(str(error)) from None
