"""An engine of the test's own, and another elsewhere; alice's room; a model server that misbehaves on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.test import AsyncClient
from redis.asyncio import Redis

from streaming import engine as engines
from streaming.engine import Engine
from streaming.ownership import Ownership
from tests.provider_server import RunningServer, running
from tests.streaming.neighbours import hears
from tests.streaming.scenes import Scene, client_of
from tests.streaming.seats import Tab
from tests.waiting import until


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


@pytest.fixture
async def shared_redis(redis_url: str, settings: LazySettings) -> AsyncIterator[Redis]:
    """For the engines of this test, whatever the run's own database is."""
    settings.REDIS_URL = redis_url
    host = {"address": redis_url, "socket_timeout": None}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [host]}}
    }
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def here(shared_redis: Redis, engine: Engine) -> Engine:
    """The process whose doors the test uses."""
    return engine


@pytest.fixture
async def elsewhere(here: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """Another process, which owns the answers that begin there."""
    # Both are this very process: neither takes the other for one that has died.
    monkeypatch.setattr("streaming.ownership.died_here", lambda owner: False)
    monkeypatch.setattr(Ownership, "keep_looking", look_at_nothing)
    other = Engine()
    other.start()
    await until(lambda: hears(here) and hears(other), "both to listen to hints")
    yield other
    await other.stop()
