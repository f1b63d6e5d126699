"""A process that stops: what is ending is ended, what is not is left whole for the next one."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from chat import generations
from chat.errors import Unavailable
from chat.models import Generation, Message, Room
from streaming import closes, turns
from streaming import engine as engines
from streaming.commands import SendMessage
from streaming.engine import Engine
from streaming.identity import identity_of
from streaming.run import Run
from streaming.service import take_turn
from streaming.sse import answer_stream
from streaming.turns import Turn
from tests.people import make_room, make_route, make_user, request_id, sign_in
from tests.streaming.seats import PATIENCE_SECONDS, Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = "Once upon a time there was a lamp."


class Scene:
    def __init__(self, **script: Any) -> None:
        self.alice = make_user("alice")
        self.room: Room = make_room(self.alice)
        self.identity = identity_of(self.alice)
        make_route(options={"text": STORY, **script})

    async def turn(self, engine: Engine) -> Turn:
        return await take_turn(
            engine, self.identity, self.room.pk, SendMessage(request_id=request_id(), text="hi"),
            door="post", received_at=time.monotonic(),
        )


async def test_an_end_that_waits_for_the_database_is_committed_before_the_process_goes(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    real, refused = generations.settle, asyncio.Event()
    loop, failures = asyncio.get_running_loop(), iter([True])

    def settle(*args: Any) -> bool:
        if next(failures, False):
            loop.call_soon_threadsafe(refused.set)
            raise OperationalError("database is locked")
        return real(*args)

    with patch.object(generations, "settle", settle):
        await scene.turn(engine)
        await asyncio.wait_for(refused.wait(), PATIENCE_SECONDS)
        await engine.stop()
    message = await Message.objects.aget(role="character", position=2)
    assert (message.status, message.content) == ("complete", STORY)


async def test_a_database_that_stays_away_does_not_keep_the_process(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    refused, loop = asyncio.Event(), asyncio.get_running_loop()

    def settle(*args: Any) -> bool:
        loop.call_soon_threadsafe(refused.set)
        raise OperationalError("database is locked")

    with patch.object(generations, "settle", settle), patch("streaming.runner.LAST_SETTLE_SECONDS", 0.05):
        await scene.turn(engine)
        await asyncio.wait_for(refused.wait(), PATIENCE_SECONDS)
        await asyncio.wait_for(engine.stop(), PATIENCE_SECONDS)
    assert (await Generation.objects.aget()).status == "running"


async def test_a_turn_accepted_while_the_process_stops_is_left_to_the_next_one(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    real, begun, go_on = turns.begin, threading.Event(), threading.Event()

    def begin(*args: Any, **kwargs: Any) -> Turn:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return real(*args, **kwargs)

    with patch("streaming.turns.begin", begin):
        request = asyncio.create_task(scene.turn(engine))
        assert await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        stopping = asyncio.create_task(engine.stop())
        await asyncio.sleep(0)
        assert engine.is_draining
        go_on.set()
        with pytest.raises(Unavailable) as refusal:
            await request
        await stopping
    assert refusal.value.code == "draining"
    assert (await Generation.objects.aget()).status == "running"
    assert not list(engine.runner.runs())


async def test_a_request_during_the_stop_meets_the_engine_that_stops(engine: Engine) -> None:
    met: list[Engine] = []

    async def flush() -> None:
        met.append(engines.get_engine())

    with patch.object(engine.checkpoint, "flush", flush):
        await engines.stop_engine()
    assert met == [engine]


async def test_after_the_last_stop_nobody_starts_another_engine(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    await engines.stop_engine(for_good=True)
    try:
        assert engines.get_engine() is engine
        with pytest.raises(Unavailable) as refusal:
            await scene.turn(engines.get_engine())
        tab = Tab(scene.room.pk, await sync_to_async(sign_in)(scene.alice))
        assert await tab.socket.connect() == (True, None)
        assert await tab.closed_with() == closes.TRY_LATER
    finally:
        engines._engine = None
    assert refusal.value.code == "draining"


async def test_a_stream_goes_on_where_its_answer_goes_on(engine: Engine) -> None:
    scene = await sync_to_async(Scene)(hang_at_chunk=2)
    accepted = (await scene.turn(engine)).accepted
    run = engine.runner.get(accepted.message_id)
    assert isinstance(run, Run)
    parts = answer_stream(engine, scene.alice.pk, run.key, None)
    assert b"ai_message_start" in await anext(parts)
    await sync_to_async(generations.claim)(accepted.message_id, 1, "another-machine:7:beef0000")
    await engine.checkpoint.flush()
    assert await asyncio.wait_for(run.ended, PATIENCE_SECONDS) is None
    end = generations.Outcome(status="done", text=STORY, last_seq=9, finish_reason="stop", total_ms=1.0)
    assert await sync_to_async(generations.settle)(accepted.message_id, 2, end)
    rest = await asyncio.wait_for(_all(parts), PATIENCE_SECONDS)
    assert any(b"ai_message_end" in part and STORY.encode() in part for part in rest)


async def _all(parts: Any) -> list[bytes]:
    return [part async for part in parts]
