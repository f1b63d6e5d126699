"""Turns that begin and end by the loop's own connections: without a thread on Postgres, through one whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import connection

from chat import generations
from chat.models import Generation, Message
from chat.statements import Statement, Told
from streaming import remembered, turns
from streaming.engine import Engine
from streaming.repeats import Repeats
from streaming.trips import Trips
from tests.streaming.scenes import Scene
from tests.streaming.seats import PATIENCE_SECONDS, Tab
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
FOR_EVER_SECONDS = 1e12

ON_POSTGRES = connection.vendor == "postgresql"
needs_postgres = pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has no trips: the run on Postgres has them")


@pytest.fixture
async def engine(trips_at_hand: None, engine: Engine) -> Engine:
    """With its trips open, as in a process that has been serving for a while."""
    if ON_POSTGRES:
        await until(lambda: engine.trips.is_open, "an open trip")
    return engine


@pytest.fixture
def trips_at_hand(settings: LazySettings) -> None:
    settings.DATABASE_TRIPS = 2
    settings.ROUTES_CACHE_SECONDS = FOR_EVER_SECONDS
    remembered.forget()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done in a thread, by name."""
    done: list[str] = []
    for owner, name in ((turns, "begin"), (generations, "settle")):
        monkeypatch.setattr(owner, name, noting(done, name, getattr(owner, name)))
    return done


def noting(done: list[str], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        done.append(name)
        return real(*args, **kwargs)

    return noted


async def test_a_turn_begins_and_ends_without_a_thread_where_there_is_postgres(
    scene: Scene, tab: Tab, threads: list[str]
) -> None:
    await sync_to_async(turns.remember)(scene.room)
    await tab.send()
    end = await tab.answer()
    assert tab.text() == end.content
    assert threads == ([] if ON_POSTGRES else ["begin", "settle"])
    assert (await Message.objects.aget(pk=end.message_id)).content == end.content


@needs_postgres
async def test_connections_that_were_cut_cost_no_answer(
    scene: Scene, tab: Tab, engine: Engine, threads: list[str]
) -> None:
    await sync_to_async(turns.remember)(scene.room)
    await sync_to_async(cut)(engine.trips)
    await tab.send()
    end = await tab.answer()
    assert tab.text() == end.content
    assert threads[0] == "begin"
    assert await Generation.objects.acount() == 1
    await until(lambda: len(engine.trips._free) == 2, "all connections again")


async def test_a_repeat_joins_the_first_result(scene: Scene, tab: Tab) -> None:
    rid = await tab.send()
    end = await tab.answer()
    await tab.send(rid=rid)
    assert (await tab.answer()).message_id == end.message_id
    assert await Generation.objects.acount() == 1


async def test_who_finds_no_room_is_looked_for_without_a_thread_where_there_is_postgres(
    scene: Scene, tab: Tab, engine: Engine
) -> None:
    rid = await tab.send()
    await tab.answer()
    asked: list[str] = []
    repeats = Repeats(engine.trips, noting(asked, "known", generations.known))
    requests = [(scene.alice.pk, rid), (scene.alice.pk, "new"), (scene.alice.pk + 1, rid), (scene.alice.pk, "';--")]
    found = await asyncio.gather(*(repeats.have(*request) for request in requests))
    assert found == [True, False, False, False]
    assert asked == ([] if ON_POSTGRES else ["known"])


async def test_one_answer_at_a_time_is_written_in_a_room(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=1)
    remembered.forget()
    await tab.send()
    await tab.send()
    assert (await tab.refusal()).code == "generation_running"


async def test_whoever_signed_out_is_told_so(scene: Scene, tab: Tab) -> None:
    await sync_to_async(sign_out)(scene)
    await tab.send()
    assert (await tab.refusal()).code == "session_expired"
    assert not await Generation.objects.aexists()


@needs_postgres
async def test_an_end_whose_word_was_lost_is_told_all_the_same(
    scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Trips.tell

    async def lost(self: Trips, statements: list[Statement]) -> list[Told] | None:
        told = await real(self, statements)
        return None if len(statements) == 3 else told

    monkeypatch.setattr(Trips, "tell", lost)
    await tab.send()
    assert (await tab.answer()).content == tab.text()


@needs_postgres
async def test_a_trip_that_is_given_up_midway_leaves_no_connection_in_use(engine: Engine) -> None:
    trip = asyncio.create_task(engine.trips.tell([("SELECT pg_sleep(%s)", [PATIENCE_SECONDS * 4])]))
    await until(lambda: engine.trips._taken == 1, "the trip to begin")
    trip.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trip
    assert engine.trips._taken == 0
    await until(lambda: len(engine.trips._free) == 2, "all connections again")
    assert await engine.trips.tell([("SELECT %s::int", [7])]) == [Told(1, [(7,)])]


@needs_postgres
async def test_a_connection_given_up_while_it_is_opened_is_closed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[psycopg.AsyncConnection[Any]] = []
    # Those of the engine itself are not the one that is given up.
    await until(lambda: len(engine.trips._free) == 2, "all connections")

    async def hang(self: psycopg.AsyncConnection[Any], *_: Any) -> None:
        opened.append(self)
        await asyncio.Event().wait()

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", hang)
    opening = asyncio.create_task(Trips().keep())
    await until(lambda: opened, "a connection to be opened")
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert opened[0].closed


def cut(trips: Trips) -> None:
    with connection.cursor() as cursor:
        for one in trips._free:
            cursor.execute("SELECT pg_terminate_backend(%s)", [one.pgconn.backend_pid])


def sign_out(scene: Scene) -> None:
    Session.objects.filter(session_key=scene.alices).delete()
