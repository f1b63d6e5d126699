"""A provider's queue, in a room: who waits is told the place, who is refused leaves nothing behind."""

from __future__ import annotations

import pytest

from chat.models import Message
from streaming.engine import Engine
from streaming.events import Ack, Chunk, CommandError, Failure, Waiting
from streaming.providers.admission import Admission
from tests.people import request_id
from tests.streaming.queueing import BOB, Desk
from tests.streaming.scenes import Scene, client_of, post, sse
from tests.streaming.seats import Tab


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_a_reader_sees_the_place_and_then_the_answer(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await tab.send()
    assert (await tab.until(Waiting)).ahead == 0
    await busy.end("a")
    assert (await tab.answer()).content
    await engine.runner.settled()
    assert set(engine.providers.admission._under_way.values()) == {0}


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_comes_to_a_full_queue_is_refused_before_anything_is_written(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await busy.come("b", BOB)
    rid = await tab.send("too many")
    refusal = await tab.refusal()
    assert (refusal.code, refusal.retryable, refusal.request_id) == ("overloaded", True, rid)
    assert not await Message.objects.filter(content="too many").aexists()
    await busy.end_all()
    await tab.send("too many", rid)
    assert (await tab.answer()).request_id == rid


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_waited_too_long_gets_an_error_and_keeps_the_words(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1, wait_seconds=0.01)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await tab.send("hello?")
    failure = await tab.until(Failure)
    assert (failure.code, failure.retryable) == ("provider_busy", True)
    assert await Message.objects.filter(content="hello?").aexists()
    await busy.end_all()


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_comes_later_is_told_the_place_over_sse_and_in_another_tab(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=5)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    response = await post(
        await client_of(scene.alice), "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi"
    )
    frames = sse(response)
    while (frame := await anext(frames))["event"] != "ai_message_waiting":
        pass
    assert (frame["data"]["ahead"], "id" in frame) == (0, False)
    second = scene.tab()
    await second.open()
    await second.say("resume", known=[])
    assert (await second.until(Waiting)).ahead == 0
    await second.close()
    await busy.end_all()
    await tab.answer()


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_nobody_sees_a_number_while_the_model_thinks(engine: Engine, scene: Scene, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=5)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await busy.come("b", BOB)
    await tab.send()
    assert (await tab.until(Waiting)).ahead == 1
    await busy.end_all()
    await tab.until(Chunk)
    assert tab.of(Waiting)[-1].ahead is None


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_a_repeat_joins_its_answer_however_long_the_queue_is(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    rid = await tab.send("hello?")
    first = await tab.until(Ack)
    if not tab.of(Waiting):
        await tab.until(Waiting)
    await tab.send("hello?", rid)
    assert (await tab.until(Ack)).message_id == first.message_id
    assert tab.of(CommandError) == []
    await busy.end_all()
    await tab.answer()
