"""An accepted answer that no task writes: whatever cut its beginning off, it still gets its end."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat.errors import Unavailable
from chat.messages import Accepted, Request, accept_send
from chat.models import Generation, ModelRoute, Room
from streaming import turns
from streaming.commands import SendMessage
from streaming.engine import Engine
from streaming.events import End, Failure
from streaming.identity import identity_of
from streaming.instrumentation import StageClock
from streaming.service import take_turn
from streaming.turns import load_takeover
from streaming.writing import ATTEMPTS_MAX
from tests.people import make_room, make_route, make_user, request_id
from tests.streaming.test_takeover import GONE, ended

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = "Once upon a time there was a lamp."


class Scene:
    def __init__(self) -> None:
        self.alice = make_user("alice")
        self.room: Room = make_room(self.alice)
        self.identity = identity_of(self.alice)
        make_route(options={"text": STORY})

    def accept(self, owner: str) -> Accepted:
        """Accepted for `owner` long enough ago that a task of it should exist."""
        accepted = accept_send(Request(self.alice.pk, self.room.pk, request_id(), "stream", owner), "hi")
        self.age()
        return accepted

    def age(self) -> None:
        Generation.objects.update(created_at=timezone.now() - timedelta(minutes=1))

    async def turn(self, engine: Engine) -> Any:
        command = SendMessage(request_id=request_id(), text="hi")
        return await take_turn(
            engine, self.identity, self.room.pk, command, door="post", received_at=time.monotonic()
        )


@pytest.fixture
async def scene(engine: Engine, transactional_db: None) -> Scene:
    return await sync_to_async(Scene)()


async def test_a_client_that_leaves_during_acceptance_leaves_an_answer(scene: Scene, engine: Engine) -> None:
    real, begun, go_on = turns.begin, threading.Event(), threading.Event()

    def begin(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        assert go_on.wait(15)
        return real(*args, **kwargs)

    with patch("streaming.turns.begin", begin):
        request = asyncio.create_task(scene.turn(engine))
        assert await asyncio.to_thread(begun.wait, 15)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        started = asyncio.Event()
        with patch.object(engine.hub, "present", lambda run: started.set()):
            go_on.set()
            await asyncio.wait_for(started.wait(), 15)
    generation = await Generation.objects.aget()
    run = engine.runner.get(generation.pk)
    terminal = await asyncio.wait_for(run.ended, 15) if run else None
    assert isinstance(terminal, End) or (await Generation.objects.aget()).status == "done"


async def test_an_answer_whose_beginning_failed_after_acceptance_is_adopted(scene: Scene, engine: Engine) -> None:
    with patch("streaming.turns._context", side_effect=OperationalError("gone")), pytest.raises(Unavailable):
        await scene.turn(engine)
    await sync_to_async(scene.age)()
    generation = await Generation.objects.select_related("room").aget()
    assert generation.status == "running"
    await engine.ownership.adopt()
    run = engine.runner.get(generation.pk)
    assert run is not None
    terminal = await asyncio.wait_for(run.ended, 15)
    assert isinstance(terminal, End)
    assert terminal.content == STORY


async def test_a_claim_that_could_not_be_begun_is_begun_later(scene: Scene, engine: Engine) -> None:
    accepted = await sync_to_async(scene.accept)(GONE)
    with patch("streaming.ownership.load_takeover", side_effect=OperationalError("gone")), pytest.raises(Unavailable):
        await engine.ownership.adopt()
    await engine.ownership.adopt()
    assert isinstance(await ended(engine, accepted), End)


async def test_an_answer_that_is_written_here_is_left_alone(scene: Scene, engine: Engine) -> None:
    turn = await scene.turn(engine)
    await sync_to_async(scene.age)()
    await engine.ownership.adopt()
    await engine.runner.settled()
    generation = await Generation.objects.aget(pk=turn.accepted.message_id)
    assert generation.attempt == 1


async def test_an_answer_that_fells_every_owner_is_given_up(scene: Scene, engine: Engine) -> None:
    accepted = await sync_to_async(scene.accept)(GONE)
    await Generation.objects.aupdate(attempt=ATTEMPTS_MAX)
    await engine.ownership.adopt()
    terminal = await ended(engine, accepted)
    assert isinstance(terminal, Failure)
    assert (terminal.code, terminal.retryable) == ("internal_error", True)


async def test_a_takeover_over_an_older_run_of_ours_stays_findable(scene: Scene, engine: Engine) -> None:
    hangs = {"text": STORY, "hang_at_chunk": 3}
    await ModelRoute.objects.aupdate(options=hangs, first_content_seconds=60, gap_seconds=60, total_seconds=120)
    turn = await scene.turn(engine)
    older = engine.runner.get(turn.accepted.message_id)
    assert older is not None
    await Generation.objects.aupdate(attempt=2, owner=engine.owner)
    generation = await Generation.objects.select_related("message", "room__character").aget()
    newer = engine.runner.take_over(await sync_to_async(load_takeover)(generation), StageClock())
    assert await asyncio.wait_for(older.ended, 15) is None
    assert engine.runner.get(generation.pk) is newer
    assert engine.runner.stop(generation.pk, 0)
    assert isinstance(await asyncio.wait_for(newer.ended, 15), End)

