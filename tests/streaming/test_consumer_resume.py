"""A socket that comes back, or falls behind: what is missing, once, and no hole."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from streaming.commands import Known
from streaming.engine import Engine
from streaming.events import (
    Ack,
    Chunk,
    End,
    RoomChanged,
    Snapshot,
    Start,
    UserMessage,
)
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_a_closed_tab_does_not_end_the_answer(scene: Scene, engine: Engine) -> None:
    await scene.script(chunks_per_second=200)
    tab = scene.tab()
    await tab.open()
    await tab.send()
    start = await tab.until(Start)
    await tab.until(Chunk)
    run = engine.runner.get(start.message_id)
    assert run is not None
    await tab.close()
    terminal = await asyncio.wait_for(run.ended, 15)
    assert isinstance(terminal, End)
    assert terminal.content == STORY


async def test_a_reload_goes_on_from_where_it_was(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=6)
    await tab.send()
    last = await tab.until(Chunk, lambda chunk: chunk.seq >= 6)
    second = scene.tab()
    await second.open()
    known = {"messageId": last.message_id, "attempt": 1, "seq": 3, "length": 12}
    await second.say("resume", known=[known])
    chunk = await second.until(Chunk)
    assert (chunk.from_seq, chunk.seq, chunk.chunk) == (4, 6, STORY[12:24])
    await second.close()


async def test_a_tab_that_knows_nothing_gets_the_running_answer_as_a_snapshot(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=6)
    await tab.send()
    await tab.until(Chunk, lambda chunk: chunk.seq >= 6)
    second = scene.tab()
    await second.open()
    await second.say("resume", known=[])
    start, snapshot = await second.until(Start), await second.until(Snapshot)
    assert start.message_id == snapshot.message_id
    assert snapshot.text == STORY[:24]
    await second.close()


@pytest.mark.parametrize(("attempt", "seq"), [(1, 999), (9, 2)], ids=["from the future", "a foreign attempt"])
async def test_a_resume_that_cannot_be_true_gets_a_snapshot(scene: Scene, tab: Tab, attempt: int, seq: int) -> None:
    await scene.script(hang_at_chunk=6)
    await tab.send()
    last = await tab.until(Chunk, lambda chunk: chunk.seq >= 6)
    second = scene.tab()
    await second.open()
    known = Known(message_id=last.message_id, attempt=attempt, seq=seq, length=3)
    await second.say("resume", known=[{
        "messageId": known.message_id, "attempt": known.attempt, "seq": known.seq, "length": known.length,
    }])
    assert (await second.until(Snapshot)).text == STORY[:24]
    await second.close()


async def test_a_resume_after_the_end_gets_the_end(scene: Scene, tab: Tab) -> None:
    await tab.send()
    end = await tab.answer()
    second = scene.tab()
    await second.open()
    await second.say("resume", known=[{"messageId": end.message_id, "attempt": 1, "seq": 2, "length": 8}])
    assert await second.answer() == end
    await second.close()


async def test_a_resume_of_a_deleted_or_foreign_message_is_told_so(scene: Scene, tab: Tab) -> None:
    await tab.send()
    end = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await tab.say("rewind", messageId=tab.of(UserMessage)[0].message_id)
    await tab.until(RoomChanged)
    for message_id in (end.message_id, uuid.uuid4()):
        await tab.say("resume", known=[{"messageId": message_id, "attempt": 1, "seq": 2, "length": 8}])
        refusal = await tab.refusal()
        assert (refusal.code, refusal.message_id) == ("message_not_found", message_id)


async def test_a_tab_that_acknowledges_nothing_is_held_and_then_caught_up(scene: Scene, settings: Any) -> None:
    settings.STREAM_WINDOW_EVENTS = 4
    await scene.script(chunk_chars=1)
    tab = scene.tab(acknowledges=False)
    ready = await tab.open()
    assert ready.window == 4
    await tab.send()
    last = await tab.until(Chunk, lambda chunk: chunk.seq >= 4)
    assert await tab.socket.receive_nothing(timeout=0.2)
    await tab.say("received", messageId=last.message_id, seq=last.seq)
    end = await tab.answer()
    assert tab.text() == end.content == STORY
    await tab.close()
