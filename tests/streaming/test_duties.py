"""What runs for the life of a process survives one bad moment, and nobody waits for another's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, OperationalError

from chat import generations
from chat.errors import NotFound
from chat.models import Room, User
from streaming.checkpoint import DatabaseCheckpoint
from streaming.closes import ROOM_NOT_FOUND
from streaming.engine import Engine
from streaming.events import Chunk, Heartbeat
from streaming.lease import Lease
from streaming.ownership import Ownership
from tests.people import make_room, make_route, make_user, sign_in
from tests.streaming.seats import PATIENCE_SECONDS, Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


class Scene:
    def __init__(self) -> None:
        self.alice: User = make_user("alice")
        self.room: Room = make_room(self.alice)
        self.session = sign_in(self.alice)
        make_route(options={"text": "Once upon a time.", "hang_at_chunk": 2})

    def tab(self) -> Tab:
        return Tab(self.room.pk, self.session)


@pytest.fixture
async def scene(engine: Engine, transactional_db: None) -> Scene:
    return await sync_to_async(Scene)()


#: Whose duties are tested: the engine's own go on beside them.
OURS = "here:1:ours0000"


def ours(engine: Engine) -> Ownership:
    return Ownership(engine.runner, Lease(OURS), engine.neighbours.log)


def fails_first(error: Exception, again: asyncio.Event) -> Callable[..., set[Any]]:
    """Raises `error` at our first call, sets `again` at the next one; others get what they ask about."""
    calls, loop = iter([True]), asyncio.get_running_loop()

    def function(owner: str, asked: Sequence[Any] = (), **kwargs: Any) -> set[Any]:
        if owner == OURS and next(calls, False):
            raise error
        if owner == OURS:
            loop.call_soon_threadsafe(again.set)
        return set(asked)

    return function


@pytest.mark.parametrize("error", [OperationalError("gone"), IntegrityError("odd")], ids=["away", "a fault of ours"])
async def test_checkpoints_go_on_after_one_that_failed(
    scene: Scene, engine: Engine, settings: Any, error: Exception
) -> None:
    tab = scene.tab()
    await tab.open()
    await tab.send()
    await tab.until(Chunk)
    settings.STREAM_CHECKPOINT_SECONDS = 0.01
    again = asyncio.Event()
    with (
        patch.object(generations, "checkpoint", return_value=0),
        patch.object(generations, "owned", fails_first(error, again)),
    ):
        duty = asyncio.create_task(DatabaseCheckpoint(engine.runner, OURS, ours(engine).look_after).keep())
        await asyncio.wait_for(again.wait(), PATIENCE_SECONDS)
    duty.cancel()
    await tab.close()


@pytest.mark.parametrize("error", [OperationalError("gone"), IntegrityError("odd")], ids=["away", "a fault of ours"])
async def test_the_lease_is_kept_after_a_look_that_failed(engine: Engine, settings: Any, error: Exception) -> None:
    settings.STREAM_LEASE_SECONDS = 0.03
    again = asyncio.Event()
    with patch.object(generations, "renew_lease", fails_first(error, again)):
        duty = asyncio.create_task(ours(engine).keep())
        await asyncio.wait_for(again.wait(), PATIENCE_SECONDS)
    duty.cancel()


async def test_a_session_that_is_slow_to_look_up_holds_up_no_heartbeat(scene: Scene, settings: Any) -> None:
    settings.STREAM_HEARTBEAT_SECONDS = 0.0
    asked, answer = threading.Event(), threading.Event()

    def recheck(consumer: Any) -> None:
        asked.set()
        assert answer.wait(PATIENCE_SECONDS)

    tab, other = scene.tab(), scene.tab()
    await tab.open()
    await other.open()
    with patch("streaming.consumer.RoomConsumer.recheck", recheck):
        settings.STREAM_SESSION_RECHECK_SECONDS = 0.0
        assert await asyncio.to_thread(asked.wait, PATIENCE_SECONDS)
        settings.STREAM_SESSION_RECHECK_SECONDS = 3600.0
        await tab.until(Heartbeat)
        await other.until(Heartbeat)
        answer.set()
    await tab.close()
    await other.close()


async def test_a_room_that_is_gone_closes_as_a_room_that_never_was(scene: Scene, settings: Any) -> None:
    tab = scene.tab()
    await tab.open()
    with patch("streaming.consumer.rooms.get_room_for", side_effect=NotFound("room_not_found", "")):
        settings.STREAM_SESSION_RECHECK_SECONDS = 0.0
        assert await tab.closed_with() == ROOM_NOT_FOUND
