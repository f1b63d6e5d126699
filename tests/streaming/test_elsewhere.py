"""Two processes' engines over one database and one Redis: an answer is read, stopped and ended wherever one asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.db import OperationalError
from django.test import AsyncClient
from redis.asyncio import Redis

from chat import generations
from chat.models import Generation, Message, Trace
from streaming import hints, metrics
from streaming.commands import SendMessage
from streaming.engine import Engine
from streaming.events import Chunk, Rewind, RoomChanged, Snapshot, Start, UserMessage, Waiting
from streaming.identity import identity_of
from streaming.ownership import Ownership
from streaming.providers.admission import Admission
from streaming.run import Run
from streaming.service import take_turn
from streaming.turns import Turn
from tests.people import request_id
from tests.streaming.conftest import look_at_nothing
from tests.streaming.scenes import STORY, Scene, post, read_stream
from tests.streaming.seats import PATIENCE_SECONDS, Tab
from tests.streaming.test_admission import Desk
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.redis, pytest.mark.django_db(transaction=True)]

SLOWLY = {"chunks_per_second": 20.0}
NEXT_OWNER = "another-machine:7:beef0000"


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


def hears(engine: Engine) -> bool:
    layer: Any = engine.neighbours.hints._layer
    return hints.GROUP in "".join(layer.groups)


async def begin(scene: Scene, at: Engine, text: str = "hi", rid: str | None = None) -> Turn:
    command = SendMessage(request_id=rid or request_id(), text=text)
    return await take_turn(
        at, identity_of(scene.alice), scene.room.pk, command, door="socket", received_at=time.monotonic()
    )


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


async def test_who_reads_elsewhere_to_the_end_has_not_left(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(**SLOWLY)
    turn = await begin(scene, elsewhere)
    await tab.answer()
    await elsewhere.runner.settled()
    trace = await Trace.objects.aget(message_id=turn.accepted.message_id)
    assert (trace.abandoned, trace.marks.keys() & {"left"}) == ("", set())


async def test_who_leaves_a_reading_elsewhere_has_left_at_once(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    run = elsewhere.runner.get(turn.accepted.message_id)
    assert run is not None
    await until(lambda: run.attendance.is_read, "the hint that it is read here")
    await tab.close()
    await until(lambda: not run.attendance.is_read, "the hint that it is read no longer")
    again = scene.tab()
    await again.open()
    await again.say("resume", known=[])
    await until(lambda: run.attendance.is_read, "the hint that it is read again")
    assert (run.attendance.resumes, run.attendance.back_at is not None) == (1, True)
    await again.close()
    await until(lambda: not run.attendance.is_read, "the hint that it is left for good")
    elsewhere.runner.stop(turn.accepted.message_id, 99)
    await run.ended
    await elsewhere.runner.settled()
    assert "left" in (await Trace.objects.aget(message_id=turn.accepted.message_id)).marks


async def test_readers_that_a_draining_process_sends_away_have_not_left_the_answer_of_another(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    run = elsewhere.runner.get(turn.accepted.message_id)
    assert run is not None
    await until(lambda: run.attendance.is_read, "the hint that it is read here")
    heard: list[hints.Hint] = []
    elsewhere.neighbours.hints._heed = lambda hint, sender: heard.append(hint)
    await here.stop()
    await tab.close()
    await until(lambda: any(isinstance(hint, hints.LetGo) for hint in heard), "the last word of the other process")
    assert not [hint for hint in heard if isinstance(hint, hints.LeftElsewhere)]
    assert run.attendance.is_read


async def test_who_opens_the_room_at_another_process_a_moment_after_the_end_has_not_left(
    here: Engine, elsewhere: Engine, scene: Scene
) -> None:
    """A reload of the page that lands elsewhere, after the answer is whole."""
    run = elsewhere.runner.get((await begin(scene, elsewhere)).accepted.message_id)
    assert run is not None
    await run.ended
    await elsewhere.runner.settled()
    assert (await Trace.objects.aget()).abandoned == "before_accept"
    tab = scene.tab()
    await tab.open()
    await until(lambda: not elsewhere.runner.latecomers._unread, "the hint")
    await asyncio.gather(*elsewhere.runner.latecomers._tasks)
    assert (await Trace.objects.aget()).abandoned == ""
    await tab.close()


async def test_who_asks_another_process_for_the_end_a_moment_after_it_has_not_left(
    here: Engine, elsewhere: Engine, scene: Scene, client: AsyncClient
) -> None:
    rid = request_id()
    run = elsewhere.runner.get((await begin(scene, elsewhere, rid=rid)).accepted.message_id)
    assert run is not None
    await run.ended
    await elsewhere.runner.settled()
    assert (await Trace.objects.aget(request_id=rid)).abandoned == "before_accept"
    await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")
    await until(lambda: not elsewhere.runner.latecomers._unread, "the hint")
    await asyncio.gather(*elsewhere.runner.latecomers._tasks)
    assert (await Trace.objects.aget(request_id=rid)).abandoned == ""


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


async def test_a_stop_whose_hint_is_lost_is_found_in_the_row(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.neighbours.hints, "say", lambda hint: None)
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    await elsewhere_wrote(elsewhere, turn, 3)
    asked = await sync_to_async(generations.ask_stop)(scene.alice.pk, scene.room.pk, turn.accepted.message_id, 7)
    assert asked
    await elsewhere.ownership.look_after()
    assert (await tab.answer()).content == STORY[:7]


async def elsewhere_wrote(engine: Engine, turn: Turn, seq: int) -> None:
    run = engine.runner.get(turn.accepted.message_id)
    assert run is not None
    await until(lambda: run.seq >= seq, "some words")


async def test_without_redis_a_reader_elsewhere_gets_what_the_row_has_and_the_end(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, shared_redis: Redis
) -> None:
    for engine in (here, elsewhere):
        engine.neighbours.log._lost(ConnectionError("gone"))  # type: ignore[attr-defined]
        engine.neighbours.log._duty.cancel()  # type: ignore[attr-defined]
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    await elsewhere.checkpoint.flush()
    await here.neighbours.mirrors.look()
    assert (await tab.until(Snapshot, lambda event: bool(event.text))).text == STORY[:16]
    assert elsewhere.runner.stop(turn.accepted.message_id, 16)
    await elsewhere.runner.settled()
    await here.neighbours.mirrors.look()
    assert (await tab.answer()).content == STORY[:16]


async def test_a_hint_that_was_lost_is_found_by_the_rounds(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere.neighbours.hints, "say", lambda hint: None)
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await here.rounds.look([scene.room.pk])
    assert (await tab.until(Start)).message_id == turn.accepted.message_id
    assert [said.text for said in tab.of(UserMessage)] == ["hi"]
    elsewhere.runner.stop(turn.accepted.message_id, 4)
    assert (await tab.answer()).content == STORY[:4]


async def test_a_room_changed_elsewhere_is_told_here(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    elsewhere.neighbours.hints.say(hints.RoomMoved(scene.room.pk, 99))
    assert (await tab.until(RoomChanged)).head == 99


async def test_words_of_a_process_that_was_away_too_long_reach_nobody(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    """Its lease has lapsed and another process has gone on: no frame, no entry, no row of it."""
    await scene.script(chunks_per_second=2.0)
    await tab.send()
    first = await tab.until(Chunk, lambda chunk: chunk.seq >= 2)
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


async def test_hints_of_unknown_kind_or_size_are_counted_and_ignored(here: Engine, elsewhere: Engine) -> None:
    before = metrics.HINTS_IGNORED._value.get()
    layer = here.neighbours.hints._layer
    for body in (b"{}", b'[{"type":"made_up"}]', "text", b"[" + b" " * hints.BATCH_MAX_BYTES + b"]", None, b"[7]"):
        await layer.group_send(hints.GROUP, {"type": "hints", "from": "somebody", "body": body})
    # Each of the two engines hears each of them.
    await until(lambda: metrics.HINTS_IGNORED._value.get() == before + 12, "all of them to be ignored")


def test_one_strange_hint_costs_the_others_of_its_batch_nothing() -> None:
    before = metrics.HINTS_IGNORED._value.get()
    body = msgspec.json.encode([hints.FlagsChanged(), {"type": "made_up"}, hints.LetGo("machine-1")])
    assert list(hints.parse_hints(body)) == [hints.FlagsChanged(), hints.LetGo("machine-1")]
    assert metrics.HINTS_IGNORED._value.get() == before + 1


async def test_many_hints_arrive_in_their_order(
    here: Engine, elsewhere: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[hints.Hint] = []
    monkeypatch.setattr(elsewhere.neighbours.hints, "_heed", lambda hint, sender: heard.append(hint))

    def is_heard() -> bool:
        here.neighbours.hints.say(hints.FlagsChanged())
        return bool(heard)

    # Whoever has not joined the others yet hears nothing.
    await until(lambda: is_heard(), "the first one")
    said = [hints.LetGo(f"machine-{number}") for number in range(2 * hints.BATCH + 1)]
    for hint in said:
        here.neighbours.hints.say(hint)
    await until(lambda: said[-1] in heard, "the last one")
    assert [hint for hint in heard if hint in said] == said


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
