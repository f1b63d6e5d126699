"""A browser, people in it, and the sites they visit. One browser a module: Playwright's loop must not meet pytest's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import faultproxy, provider_server
from tests.browser.person import Person
from tests.browser.witness import Witness
from tests.faultproxy import FaultProxy
from tests.faults.site import Site, Stack, opening, port_of
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer

WAIT_MS = 30_000
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
#: A dead line is noticed while somebody watches.
WATCHFUL = {"STREAM_HEARTBEAT_SECONDS": "1"}
Visit = Callable[..., Person]
OpenSite = Callable[..., Site]


@pytest.fixture(autouse=True)
def _no_connection_left_behind() -> None:
    """The servers' databases are their own; Playwright's loop, running in this thread, forbids the ORM here."""


@pytest.fixture(scope="session")
def models() -> Iterator[RunningServer]:
    with provider_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Stack:
    """(server, database): the embedded default, unless a test is parametrized with another one."""
    found: Stack = getattr(request, "param", ("daphne", "sqlite"))
    return found


@pytest.fixture(scope="module")
def standing_site(
    stack: Stack, models: RunningServer, live_databases: LiveDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with opening(stack, models, live_databases, tmp_path_factory.mktemp("site")) as open_site:
        yield open_site(**WATCHFUL)


@pytest.fixture
def site(standing_site: Site) -> Site:
    """One for all tests of a module, with no model yet."""
    standing_site.rows.drop_routes()
    return standing_site


@pytest.fixture
def open_site(
    stack: Stack, models: RunningServer, live_databases: LiveDatabases, tmp_path: Path
) -> Iterator[OpenSite]:
    """`open_site(SOME_SETTING="…")` starts a site for this test alone."""
    with opening(stack, models, live_databases, tmp_path) as open_one:
        yield lambda **env: open_one(**WATCHFUL, **env)


@pytest.fixture
def line(models: RunningServer) -> Iterator[FaultProxy]:
    """From the server to the models."""
    with faultproxy.running(port_of(models)) as proxy:
        yield proxy


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(url)` brings a person with a browser profile of their own; at the end nobody's page may have misbehaved.

    `may_lose_network`: the test breaks it, so the browser may say so. The rest is Playwright's new_context.
    """
    witnesses: list[Witness] = []

    def come(url: str, *, locale: str = "en-US", may_lose_network: bool = False, **context: Any) -> Person:
        profile = browser.new_context(locale=locale, **context)
        profile.set_default_timeout(WAIT_MS)
        witnesses.append(Witness(profile, may_lose_network=may_lose_network))
        return Person(profile.new_page(), url)

    yield come
    for profile in browser.contexts:
        profile.close()
    assert [complaint for witness in witnesses for complaint in witness.complaints] == []
