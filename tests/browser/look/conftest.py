"""One real server with a scripted model for all of these tests, and a visitor of one's own for each."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.look.visitor import DESK, Device, Visitor
from tests.live import LiveServer
from tests.live_databases import LiveDatabases

#: Long enough to be stopped and looked at while it is being written; without room left at its end.
SCRIPT = {"words": 60, "chunk_chars": 4, "chunks_per_second": 40}


@pytest.fixture(autouse=True)
def _no_connection_left_behind() -> None:
    """The server's database is its own; Playwright's loop, running in this thread, forbids the ORM here."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, live_databases: LiveDatabases) -> Generator[LiveServer]:
    folder = tmp_path_factory.mktemp("look") / "site"
    database = live_databases.copy("sqlite", folder)
    script = {"PROVIDER_KIND": "scripted", "PROVIDER_OPTIONS": json.dumps(SCRIPT)}
    limits = {"CHAT_GUESTS_PER_HOUR": "1000", "CHAT_TURNS_PER_MINUTE": "1000"}
    server = LiveServer(folder, env={"DATABASE_URL": database, **script, **limits})
    server.start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def chrome(chromium: Path) -> Generator[Browser]:
    """For a module only: while Playwright runs, Django forbids the ORM to every test in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def device() -> Device:
    """A test says another one by `parametrize`."""
    return DESK


@pytest.fixture
def visitor(chrome: Browser, site: LiveServer, device: Device) -> Generator[Visitor]:
    """Somebody new. What goes wrong in the page fails the test."""
    context = chrome.new_context(base_url=site.url, **device.options())
    page: Page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    visitor = Visitor(page, troubles)
    yield visitor
    context.close()
    assert visitor.troubles == []
