"""Sites to break, on each server with the database that goes with it in earnest: a test's own, or a module's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import faultproxy, provider_server
from tests.faultproxy import FaultProxy
from tests.faults.site import Site, Stack, opening, port_of
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer

OpenSite = Callable[..., Site]
#: (server, database): the embedded default, and production's.
STACKS = [
    pytest.param(("daphne", "sqlite"), id="daphne-sqlite"),
    pytest.param(("uvicorn", "postgres"), id="uvicorn-postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(autouse=True)
def _no_connection_left_behind() -> None:
    """The servers' databases are their own: this process needs none."""


@pytest.fixture(scope="session")
def models() -> Iterator[RunningServer]:
    with provider_server.running() as server:
        yield server


@pytest.fixture
def line(models: RunningServer) -> Iterator[FaultProxy]:
    """From the server to the models."""
    with faultproxy.running(port_of(models)) as proxy:
        yield proxy


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> Stack:
    found: Stack = request.param
    return found


@pytest.fixture
def open_site(
    stack: Stack, models: RunningServer, live_databases: LiveDatabases, tmp_path: Path
) -> Iterator[OpenSite]:
    """`open_site(SOME_SETTING="…")` starts a server of the stack, for this test alone."""
    with opening(stack, models, live_databases, tmp_path) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def standing_sites(
    stack: Stack, models: RunningServer, live_databases: LiveDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenSite]:
    """As `open_site`, but what was opened with the same settings stays for the module's other tests."""
    standing: dict[str, Site] = {}
    with opening(stack, models, live_databases, tmp_path_factory.mktemp("standing")) as open_one:

        def open_or_find(**env: str) -> Site:
            site = standing.get(repr(env)) or standing.setdefault(repr(env), open_one(**env))
            site.rows.drop_routes()
            return site

        yield open_or_find
