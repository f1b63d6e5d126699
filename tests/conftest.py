"""Shared by all rooms: where the run's servers are, and what a skip means in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.core.cache import caches
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck, settings

from chat import rates
from streaming.local_model.supervisor import free_port as find_free_port
from tests import early, services
from tests.chromium import find_chromium
from tests.emptied import empty_tables
from tests.faults.cluster import Cluster, standing
from tests.live import LiveServer
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer
from tests.service_base import Unavailable

# A shared machine is slow at times: what counts is the number of stories, not how long each takes.
settings.register_profile(
    "suite", deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("suite")

#: In CI these parts must run: a skip of one is a failure.
NEVER_SKIPPED_IN_CI = ("browser", "postgres", "redis", "local_model")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    is_part = any(item.get_closest_marker(name) for name in NEVER_SKIPPED_IN_CI)
    if os.environ.get("CI") == "true" and is_part and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow for this part: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Generator[None]:
    """A thread that was still in the database when its test ended must not keep it from being dropped."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_quickly() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


@pytest.fixture(autouse=True)
def _no_connection_left_behind(_django_db_helper: None) -> Generator[None]:
    """Before the tables are emptied: what `sync_to_async` opened on its thread would hold locks on them."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Every test's alice has the same number: what the last one did would count against this one's rates.

    The cache outlives the rows of a test: a switch that the last one turned off would be off in this one. So does the
    language in which the last one looked at a page.
    """
    translation.activate("en")
    rates.forget()
    for cache in caches.all():
        cache.clear()


def _url(start: Callable[[], str]) -> str:
    try:
        return start()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """DATABASE_URL of the run's Postgres: its maintenance database; make your own beside it."""
    return _url(lambda: services.ensure("postgres"))


@pytest.fixture(scope="session")
def redis_url() -> str:
    """REDIS_URL of the run's Redis, in a database that only this process uses."""
    return _url(early.redis_url)


@pytest.fixture(scope="session")
def local_model_url() -> str:
    """Base URL (…/v1) of the real packaged model; its two slots are shared by the whole run."""
    return _url(lambda: services.ensure("model"))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Path of a Chromium that Playwright can launch."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium here: `make test` installs one where it may")
    return path


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture(scope="session")
def live_databases() -> LiveDatabases:
    """Prepared databases (migrated, seeded) for live servers; each call makes a fresh copy."""
    return LiveDatabases(Path(os.environ[services.RUN_FOLDER]))


@pytest.fixture(scope="module")
def standing_cluster(
    models: RunningServer, live_databases: LiveDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Cluster]:
    """Two workers on Postgres and Redis; their answers come from the directed model of the room's `models`."""
    try:
        with standing(models, live_databases, tmp_path_factory.mktemp("cluster")) as cluster:
            cluster.add_route("directed")
            yield cluster
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def cluster(standing_cluster: Cluster) -> Cluster:
    """Whatever the test before broke is whole again."""
    standing_cluster.heal()
    return standing_cluster


@pytest.fixture
def real_server(tmp_path: Path, live_databases: LiveDatabases) -> Generator[Callable[..., LiveServer]]:
    """`real_server(server="daphne"|"uvicorn", database="sqlite"|"postgres", env={…})` starts one; all end here."""
    servers: list[LiveServer] = []

    def start(*, server: str = "daphne", database: str = "sqlite", env: dict[str, str] | None = None) -> LiveServer:
        folder = tmp_path / f"server-{len(servers)}"
        prepared = _url(lambda: live_databases.copy(database, folder))
        live = LiveServer(folder, server=server, env={"DATABASE_URL": prepared, **(env or {})})
        servers.append(live)
        live.start()
        return live

    yield start
    for live in servers:
        live.end()
