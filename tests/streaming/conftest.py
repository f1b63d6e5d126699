"""An engine of the test's own, on the test's own loop; alice's room; a model server that misbehaves on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from streaming import engine as engines
from streaming.engine import Engine
from streaming.ownership import Ownership
from tests.provider_server import RunningServer, running
from tests.streaming.scenes import Scene, client_of
from tests.streaming.seats import Tab


@pytest.fixture
async def engine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """Started as a server would start it, stopped with every run let go.

    Its own rounds of looking for the abandoned are left out: a test says when `ownership.adopt` looks.
    """
    monkeypatch.setattr(Ownership, "keep_looking", look_at_nothing)
    yield engines.get_engine()
    await engines.stop_engine()


async def look_at_nothing(_: Ownership) -> None:
    """Instead of the rounds."""


@pytest.fixture
async def scene(engine: Engine, transactional_db: None) -> Scene:
    return await sync_to_async(Scene)()


@pytest.fixture
async def tab(scene: Scene) -> AsyncIterator[Tab]:
    """Alice's, open."""
    tab = scene.tab()
    await tab.open()
    yield tab
    await tab.close()


@pytest.fixture
async def client(scene: Scene) -> AsyncClient:
    """Alice's."""
    return await client_of(scene.alice)


@pytest.fixture(scope="session")
def provider_server() -> Iterator[RunningServer]:
    """What its models do is said by their names: tests/provider_behaviour.py."""
    with running() as server:
        yield server
