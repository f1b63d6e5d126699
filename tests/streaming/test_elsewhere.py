"""Two processes' engines over one database and one Redis: an answer is read, stopped and ended wherever one asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import OperationalError
from django.test import AsyncClient

from chat import generations
from chat.models import Generation, Message
from streaming.engine import Engine
from streaming.events import Chunk, Rewind, Snapshot, Start, UserMessage, Waiting
from streaming.providers.admission import Admission
from streaming.run import Run
from tests.people import request_id
from tests.streaming.neighbours import SLOWLY, begin, elsewhere_wrote
from tests.streaming.queueing import Desk
from tests.streaming.scenes import STORY, Scene, post, read_stream
from tests.streaming.seats import PATIENCE_SECONDS, Tab

pytestmark = [pytest.mark.data, pytest.mark.redis, pytest.mark.django_db(transaction=True)]

NEXT_OWNER = "another-machine:7:beef0000"


async def test_a_tab_here_follows_an_answer_that_begins_elsewhere(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(**SLOWLY)
    await begin(scene, elsewhere)
    end = await tab.answer()
    assert (tab.of(UserMessage)[0].text, end.content) == ("hi", STORY)
    snapshot = tab.of(Snapshot)[0]
    assert snapshot.text + tab.text() == STORY
    assert len(tab.of(Chunk)) > 1, "it was to be followed, not told at its end"


async def test_a_tab_here_sees_the_place_in_the_queue_of_an_answer_that_waits_elsewhere(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(hang_at_chunk=0)
    elsewhere.providers.admission = Admission(calls_most=1, queue_most=5)
    busy = Desk(elsewhere.providers.admission)
    await busy.come("now", scene.charlie.pk)
    await busy.come("next", scene.charlie.pk)
    await begin(scene, elsewhere)
    assert (await tab.until(Waiting)).ahead == 1
    late = scene.tab()
    await late.open()
    await late.say("resume", known=[])
    assert (await late.until(Waiting)).ahead == 1
    await busy.end_all()
    for each in (tab, late):
        await each.until(Waiting, lambda told: told.ahead is None)
    await late.close()


async def test_one_who_comes_later_goes_on_event_by_event(here: Engine, elsewhere: Engine, scene: Scene) -> None:
    await scene.script(**SLOWLY)
    turn = await begin(scene, elsewhere)
    await elsewhere_wrote(elsewhere, turn, 4)
    tab = scene.tab()
    await tab.open()
    known = {"messageId": turn.accepted.message_id, "attempt": 1, "seq": 2, "length": 8}
    await tab.say("resume", known=[known])
    end = await tab.answer()
    await tab.close()
    assert end.content == STORY
    assert not [event for event in tab.events if isinstance(event, Rewind)]


async def test_a_stream_and_a_waiting_request_end_with_the_answer_written_elsewhere(
    here: Engine, elsewhere: Engine, scene: Scene, client: AsyncClient
) -> None:
    await scene.script(**SLOWLY)
    rid = request_id()
    turn = await begin(scene, elsewhere, rid=rid)
    stream, waiting = await asyncio.gather(
        read_stream(await client.get(f"/chat/messages/{turn.accepted.message_id}/stream")),
        post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi"),
    )
    assert next(frame["data"] for frame in stream if frame["event"] == "ai_message_end")["content"] == STORY
    assert waiting.json()["result"]["content"] == STORY
    assert await Generation.objects.acount() == 1


async def test_the_same_request_at_both_at_once_is_one_answer(here: Engine, elsewhere: Engine, scene: Scene) -> None:
    rid = request_id()
    turns = await asyncio.gather(begin(scene, here, rid=rid), begin(scene, elsewhere, rid=rid))
    assert sorted(turn.accepted.is_new for turn in turns) == [False, True]
    assert len({turn.accepted.message_id for turn in turns}) == 1
    assert await Message.objects.filter(role="user").acount() == 1


async def test_a_stop_here_ends_the_answer_elsewhere(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    await elsewhere_wrote(elsewhere, turn, 3)
    await tab.say("stop", messageId=turn.accepted.message_id, seenLength=7)
    end = await tab.answer()
    assert (end.content, end.finish_reason) == (STORY[:7], "stopped")


async def test_words_of_a_process_that_was_away_too_long_reach_nobody(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    """Its lease has lapsed and another process has gone on: no frame, no entry, no row of it."""
    await scene.script(chunks_per_second=2.0)
    await tab.send()
    first = await tab.until(Chunk, lambda chunk: chunk.seq >= 2)
    # It lives, so that nobody takes the answer from it: for as long as a lease that is believed may last.
    await sync_to_async(generations.renew_lease)(NEXT_OWNER, seconds=2 * settings.STREAM_LEASE_SECONDS - 0.1)
    assert await sync_to_async(generations.claim)(first.message_id, 1, NEXT_OWNER)
    here.lease._holds_until = 0.0
    run = here.runner.get(first.message_id)
    assert isinstance(run, Run)
    assert await asyncio.wait_for(run.ended, PATIENCE_SECONDS) is None
    said = run.text
    end = generations.Outcome(status="done", text=STORY, last_seq=30, finish_reason="stop", total_ms=1.0)
    assert await sync_to_async(generations.settle)(first.message_id, 2, end)
    assert (await tab.answer()).content == STORY
    assert "".join(chunk.chunk for chunk in tab.of(Chunk) if chunk.attempt == 1) == said
    assert len(said) < len(STORY)


async def test_with_the_database_away_the_words_of_a_lapsed_lease_go_on(
    here: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.script(chunks_per_second=20.0)
    await tab.send()
    await tab.until(Chunk)
    here.lease._holds_until = 0.0

    def down(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(generations, "owned_by", down)
    assert (await tab.answer()).content == STORY


async def test_a_process_that_ends_hands_its_answers_over_at_once(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Chunk, lambda chunk: chunk.seq >= 2)
    await scene.script()
    await elsewhere.stop()
    end = await tab.answer()
    assert (end.content, end.attempt) == (STORY, 2)
    assert end.message_id == turn.accepted.message_id
