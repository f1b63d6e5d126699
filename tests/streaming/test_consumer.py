"""One socket in one room: a turn from the send to its end, in every tab."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Generation, Message
from streaming.engine import Engine
from streaming.events import (
    Ack,
    Chunk,
    CommandError,
    Failure,
    Heartbeat,
    Ready,
    Snapshot,
    Start,
    UserMessage,
    checksum,
)
from tests.people import make_room
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_a_send_is_accepted_streamed_stored_and_done(scene: Scene, tab: Tab) -> None:
    rid = await tab.send("Hi there")
    end = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    assert [type(event) for event in tab.events[:4]] == [Ready, UserMessage, Start, Ack] or tab.acks()[0] == "accepted"
    assert tab.text() == end.content == STORY
    assert (end.length, end.checksum, end.finish_reason) == (len(STORY), checksum(STORY), "stop")
    chunks = tab.of(Chunk)
    assert [chunk.seq for chunk in chunks][-1] == end.seq - 1
    assert end.usage.completion_tokens
    assert end.latency.first_ms is not None
    assert {event.request_id for event in tab.of(Ack)} == {rid}
    stored = await Message.objects.aget(pk=end.message_id)
    assert (stored.content, stored.status) == (STORY, "complete")


async def test_ready_tells_the_version_the_path_and_the_credit(scene: Scene) -> None:
    tab = scene.tab()
    ready = await tab.open()
    assert (ready.v, ready.room_id, ready.path, ready.head) == (1, scene.room.pk, "stream", 0)
    assert ready.window > 0
    assert ready.heartbeat_seconds > 0
    await tab.close()


async def test_every_tab_sees_the_same_the_senders_own_message_too(scene: Scene, tab: Tab) -> None:
    second = scene.tab()
    await second.open()
    await tab.send("Hi")
    ends = [await tab.answer(), await second.answer()]
    assert ends[0] == ends[1]
    assert tab.of(UserMessage) == second.of(UserMessage) != []
    assert second.text() == STORY
    await second.close()


async def test_another_room_hears_nothing(scene: Scene, tab: Tab) -> None:
    other_room = await sync_to_async(make_room)(scene.alice)
    other = Tab(other_room.pk, scene.alices)
    await other.open()
    await tab.send()
    await tab.answer()
    assert await other.socket.receive_nothing()
    await other.close()


async def test_the_same_request_again_gives_the_first_answer_and_asks_no_model(scene: Scene, tab: Tab) -> None:
    rid = await tab.send("Hi")
    first = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await tab.send("Hi", rid)
    again = await tab.answer()
    assert again == first
    assert await Generation.objects.acount() == 1


async def test_a_repeat_while_the_answer_runs_joins_it(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=3)
    rid = await tab.send("Hi")
    await tab.until(Chunk, lambda chunk: chunk.seq >= 3)
    second = scene.tab()
    await second.open()
    await second.send("Hi", rid)
    ack = await second.until(Ack)
    snapshot = await second.until(Snapshot)
    assert (ack.stage, snapshot.text) == ("accepted", STORY[:12])
    assert await Generation.objects.acount() == 1
    await second.close()


async def test_a_model_that_fails_before_any_text_is_an_error_event(scene: Scene, tab: Tab) -> None:
    await scene.script(fail_at_chunk=0, fail_code="provider_refused", fail_retryable=False)
    rid = await tab.send()
    failure = await tab.until(Failure)
    assert (failure.code, failure.retryable, failure.request_id) == ("provider_refused", False, rid)
    generation = await Generation.objects.aget(request_id=rid)
    assert (generation.status, generation.error_code) == ("failed", "provider_refused")


async def test_switched_off_the_answer_comes_whole(scene: Scene, settings: Any) -> None:
    settings.CHAT_STREAMING_ENABLED = False
    tab = scene.tab()
    assert (await tab.open()).path == "completed"
    rid = await tab.send()
    end = await tab.answer()
    assert end.content == STORY
    assert (await Generation.objects.aget(request_id=rid)).path == "completed"
    await tab.close()


async def test_a_silent_socket_gets_heartbeats_with_the_head(scene: Scene, settings: Any) -> None:
    settings.STREAM_HEARTBEAT_SECONDS = 0.01
    tab = scene.tab()
    await tab.open()
    assert (await tab.until(Heartbeat)).head == 0
    await tab.close()


async def test_every_request_to_a_model_is_kept_with_the_trace(engine: Engine, scene: Scene, tab: Tab) -> None:
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    (call,) = (await scene.alice.traces.aget(request_id=rid)).calls
    assert (call["why"], call["outcome"], call["isCounted"]) == ("first", "stop", True)
    assert 0 <= call["firstMs"] <= call["ms"]
    assert "askedMs" not in call, "the mark tells"


async def test_client_marks_are_kept_with_the_trace(engine: Engine, scene: Scene, tab: Tab) -> None:
    rid = await tab.send()
    await tab.answer()
    await tab.say("timing", requestId=rid, marks={"first_paint": 12.5})
    await tab.say("fly")
    await tab.until(CommandError)
    await engine.runner.settled()
    trace = await scene.alice.traces.aget(request_id=rid)
    assert trace.client_marks == {"first_paint": 12.5}
