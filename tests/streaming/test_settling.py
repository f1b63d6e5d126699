"""Whatever a provider or an operator does meanwhile, an answer ends once, with its text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db.models import F
from django.utils import timezone

from chat import edits, generations
from chat.accounts import absorb
from chat.models import Generation, Message, ModelRoute, OutboxJob, Room
from streaming import metrics
from streaming.engine import Engine
from streaming.events import Chunk, End, Failure, Rewind, Snapshot
from streaming.providers.base import Finished, Piece, Text
from streaming.providers.scripted import ScriptedProvider
from streaming.run import Run
from tests.people import make_room, make_route, make_user, sign_in
from tests.streaming.seats import PATIENCE_SECONDS, Tab
from tests.streaming.test_takeover import GONE, ended
from tests.streaming.test_takeover import Scene as Abandoned

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = "Once upon a time there was a lamp."


class Scene:
    def __init__(self) -> None:
        self.alice = make_user("alice")
        self.room: Room = make_room(self.alice)
        self.route = make_route(options={"text": STORY})
        self.session = sign_in(self.alice)

    def tab(self) -> Tab:
        return Tab(self.room.pk, self.session)

    async def script(self, **fields: Any) -> None:
        await ModelRoute.objects.filter(pk=self.route.pk).aupdate(**fields)


@pytest.fixture
async def scene(engine: Engine, transactional_db: None) -> Scene:
    return await sync_to_async(Scene)()


@pytest.fixture
async def tab(scene: Scene) -> Any:
    tab = scene.tab()
    await tab.open()
    yield tab
    await tab.close()


@pytest.mark.parametrize("tokens", [-1, 2**31, 10**30])
async def test_token_counts_that_cannot_be_stored_are_unknown(scene: Scene, tab: Tab, tokens: int) -> None:
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Piece]:
        yield Text(STORY)
        yield Finished("stop", tokens, tokens, tokens)

    with patch.object(ScriptedProvider, "generate", generate):
        await tab.send()
        end = await tab.answer()
    assert end.content == STORY
    assert (end.usage.prompt_tokens, end.usage.completion_tokens, end.usage.cached_tokens) == (None, None, None)
    assert (await Generation.objects.aget(pk=end.message_id)).status == "done"


async def test_an_ending_with_a_code_of_another_version_can_still_be_told(scene: Scene, tab: Tab) -> None:
    await scene.script(options={"text": STORY, "fail_at_chunk": 0, "fail_retryable": False})
    await tab.send()
    failure = await tab.until(Failure)
    await Generation.objects.aupdate(error_code="provider_moon_phase")
    await tab.say("resume", known=[{"messageId": failure.message_id, "attempt": 1, "seq": 0, "length": 0}])
    assert (await tab.until(Failure)).code == "internal_error"


async def test_an_answer_outlives_the_guest_who_asked_for_it(scene: Scene, tab: Tab, engine: Engine) -> None:
    await scene.script(options={"text": STORY, "hang_at_chunk": 2})
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 2)
    run = engine.runner.get(chunk.message_id)
    assert isinstance(run, Run)
    bob = await sync_to_async(make_user)("bob")
    lost = metrics.TRACES_LOST._value.get()
    await sync_to_async(absorb)(scene.alice, bob)
    assert engine.runner.stop(chunk.message_id, run.length)
    await asyncio.wait_for(run.ended, PATIENCE_SECONDS)
    await engine.runner.settled()
    assert (await Message.objects.aget(pk=chunk.message_id)).status == "stopped"
    assert metrics.TRACES_LOST._value.get() == lost + 1
    job = await OutboxJob.objects.aget(message_id=chunk.message_id)
    assert job.status == "done" or job.available_at <= timezone.now()


async def test_a_room_deleted_meanwhile_loses_its_trace_and_nothing_else(
    scene: Scene, tab: Tab, engine: Engine
) -> None:
    real, lost = generations.settle, metrics.TRACES_LOST._value.get()

    def settle(*args: Any) -> bool:
        won = real(*args)
        Room.objects.filter(pk=scene.room.pk).delete()
        return won

    with patch.object(generations, "settle", settle):
        await tab.send()
        assert (await tab.answer()).content == STORY
        await engine.runner.settled()
    assert metrics.TRACES_LOST._value.get() == lost + 1


async def test_an_answer_does_not_wait_for_a_reading_ahead_that_hangs(scene: Scene, tab: Tab, engine: Engine) -> None:
    limits = {"first_content_seconds": 0.05, "gap_seconds": 0.05, "total_seconds": 0.2}
    await scene.script(options={"text": STORY, "hang_at_chunk": 0}, warms_prompt=True, **limits)
    engine.warmer.open(scene.room.pk)
    await tab.send()
    assert (await tab.until(Failure)).code in ("provider_first_content_timeout", "provider_total_timeout")


async def test_a_rewind_right_after_the_end_keeps_its_window(scene: Scene, tab: Tab, engine: Engine) -> None:
    real = generations.settle
    await Room.objects.filter(pk=scene.room.pk).aupdate(window_start=0)

    def settle(*args: Any) -> bool:
        won = real(*args)
        greeting = Message.objects.get(room=scene.room, position=0, selected=True)
        edits.rewind(scene.alice.pk, scene.room.pk, greeting.pk)
        return won

    with patch.object(generations, "settle", settle), patch("streaming.prompting.RoomPrompts.window_start", 7):
        await tab.send()
        await tab.answer()
        await engine.runner.settled()
    assert (await Room.objects.aget(pk=scene.room.pk)).window_start == 0


async def test_an_answer_that_was_taken_over_is_measured_from_its_acceptance(engine: Engine) -> None:
    scene = await sync_to_async(Abandoned)()
    accepted = await sync_to_async(scene.abandoned)(GONE)
    await Generation.objects.aupdate(created_at=F("created_at") - timedelta(seconds=30))
    await engine.ownership.adopt()
    terminal = await ended(engine, accepted)
    assert isinstance(terminal, End)
    assert terminal.latency.total_ms >= 30_000
    assert terminal.latency.first_ms is not None
    assert terminal.latency.first_ms >= 30_000


async def test_a_reader_from_before_the_first_attempt_is_not_rewound(scene: Scene, tab: Tab) -> None:
    await scene.script(options={"text": STORY, "hang_at_chunk": 2})
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 2)
    tab.events.clear()
    await tab.say("resume", known=[{"messageId": chunk.message_id, "attempt": 0, "seq": -1, "length": 0}])
    assert (await tab.until(Snapshot)).text == STORY[:8]
    assert not tab.of(Rewind)


