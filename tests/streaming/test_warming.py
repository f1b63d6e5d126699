"""A room that is opened, or typed in, has what its next answer needs at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import ModelRoute, Room
from streaming import database, remembered
from streaming.engine import Engine
from streaming.events import Chunk
from streaming.providers.hedging import Budget
from tests.people import make_route
from tests.provider_server import RunningServer
from tests.streaming.asking import model_named, touches
from tests.streaming.scenes import Scene
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
FOR_EVER_SECONDS = 1e12


@pytest.fixture
async def touched(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(engine.providers, "_allow_requests", True)
    return touches(engine.providers, monkeypatch)


@pytest.fixture
async def ways(scene: Scene, provider_server: RunningServer) -> dict[str, str]:
    """Two routes with an address each, the scripted one gone; returns the addresses."""
    openai, anthropic = provider_server.openai_url, provider_server.base_url.replace("127.0.0.1", "localhost")

    def make() -> None:
        scene.route.delete()
        make_route(name="first", kind="openai", base_url=openai, model=model_named("text-1"), sort=1)
        make_route(name="second", kind="anthropic", base_url=anthropic, model=model_named("text-1"), sort=2)
        remembered.forget()

    await sync_to_async(make)()
    return {"first": f"{openai}/chat/completions", "second": f"{anthropic}/v1/messages"}


@pytest.fixture
async def idle(engine: Engine) -> Engine:
    """Whose duties rest: whatever is asked of the database is a command's."""
    for task in engine._tasks:
        task.cancel()
    await asyncio.gather(*engine._tasks, return_exceptions=True)
    return engine


async def all_warmed(engine: Engine) -> None:
    await until(lambda: not engine.warmer._tasks, "what is being warmed")


async def test_an_open_room_has_a_connection_to_its_model(
    scene: Scene, engine: Engine, touched: list[str], ways: dict[str, str], provider_server: RunningServer
) -> None:
    tab = scene.tab()
    await tab.open()
    await until(lambda: touched == [ways["first"]], "the connection")
    assert provider_server.seen("text-1") == [], "no model was asked"
    await tab.close()


async def test_typing_warms_the_rooms_own_route_now_and_then(
    scene: Scene, engine: Engine, touched: list[str], ways: dict[str, str]
) -> None:
    pinned = await ModelRoute.objects.aget(name="second")
    await Room.objects.filter(pk=scene.room.pk).aupdate(route=pinned)
    for _ in range(5):
        engine.warmer.typing(scene.room.pk)
        await all_warmed(engine)
        engine.providers.client._free.clear()
    assert touched == [ways["second"]]


async def test_a_route_that_is_raced_has_its_rivals_connection_ready_too(
    scene: Scene, engine: Engine, touched: list[str], ways: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.providers.hedging, "budget", Budget(5.0))
    await ModelRoute.objects.filter(name="first").aupdate(hedges=True)
    engine.warmer.typing(scene.room.pk)
    await all_warmed(engine)
    assert sorted(touched) == sorted(ways.values())


async def test_a_room_that_is_gone_is_not_warmed(scene: Scene, engine: Engine, touched: list[str]) -> None:
    await Room.objects.all().adelete()
    engine.warmer.open(scene.room.pk)
    engine.warmer.typing(scene.room.pk)
    await all_warmed(engine)
    assert touched == []


async def test_once_it_is_open_a_send_waits_for_one_transaction_and_for_nothing_else(
    idle: Engine, scene: Scene, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROUTES_CACHE_SECONDS = FOR_EVER_SECONDS
    remembered.forget()
    await scene.script(hang_at_chunk=1)
    tab = scene.tab()
    await tab.open()
    await all_warmed(idle)
    trips = list[str]()
    call = database._call

    def counted(function: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as captured:
            result = call(function)
        trips.append("; ".join(query["sql"] for query in captured))
        return result

    monkeypatch.setattr(database, "_call", counted)
    await tab.send()
    await tab.until(Chunk)
    (trip,) = trips
    # On Postgres what is planned for the first time is told before it.
    assert (trip.count("BEGIN"), trip.count("COMMIT")) == (1, 1)
    assert trip.endswith("COMMIT")
    assert all(sql.startswith("PREPARE") for sql in trip.partition("BEGIN")[0].split("; ") if sql)
    await tab.close()
