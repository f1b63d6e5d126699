"""A provider's queue, in a room: who waits is told the place, who is refused leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest
from asgiref.sync import sync_to_async
from msgspec import UNSET

from chat import generations
from chat.models import Message
from streaming.engine import Engine
from streaming.events import Ack, Chunk, CommandError, Failure, Waiting
from streaming.providers.admission import Admission
from streaming.repeats import Repeats
from streaming.trips import Trips
from streaming.turns import route_value
from tests.people import make_route, request_id
from tests.streaming.queueing import BOB, Desk
from tests.streaming.scenes import STORY, Scene, client_of, post, sse
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def occupied(engine: Engine, *others: str, queue_most: int, wait_seconds: float = 60.0) -> Desk:
    """One request at a time, and these have come before."""
    engine.providers.admission = Admission(calls_most=1, queue_most=queue_most, wait_seconds=wait_seconds)
    busy = Desk(engine.providers.admission)
    for name in others:
        await busy.come(name, BOB)
    return busy


async def test_a_reader_sees_the_place_and_then_the_answer(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", queue_most=1)
    await tab.send()
    assert (await tab.until(Waiting)).ahead == 0
    await busy.end("a")
    assert (await tab.answer()).content
    await engine.runner.settled()
    assert set(engine.providers.admission._under_way.values()) == {0}


async def test_an_answer_begins_with_the_next_route_while_the_rooms_own_has_no_room(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    await sync_to_async(make_route)(name="second", sort=9, options={"text": STORY})
    scene.route.max_concurrent = 1
    await scene.route.asave()
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB, route_value(scene.route))
    rid = await tab.send()
    assert (await tab.answer()).content == STORY
    assert tab.of(Waiting) == [], "nobody had to wait"
    await engine.runner.settled()
    trace = await scene.alice.traces.aget(request_id=rid)
    assert [(call["route"], call["why"], call["outcome"]) for call in trace.calls] == [("second", "first", "stop")]
    assert trace.route_name == "second"
    await busy.end_all()


async def test_who_comes_to_a_full_queue_is_refused_before_anything_is_written(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", "b", queue_most=1)
    rid = await tab.send("too many")
    refusal = await tab.refusal()
    assert (refusal.code, refusal.retryable, refusal.request_id) == ("overloaded", True, rid)
    assert not await Message.objects.filter(content="too many").aexists()
    await busy.end_all()
    await tab.send("too many", rid)
    assert (await tab.answer()).request_id == rid


async def test_who_waited_too_long_gets_an_error_and_keeps_the_words(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", queue_most=1, wait_seconds=0.01)
    await tab.send("hello?")
    failure = await tab.until(Failure)
    assert (failure.code, failure.retryable) == ("provider_busy", True)
    assert await Message.objects.filter(content="hello?").aexists()
    await busy.end_all()


async def test_who_comes_later_is_told_the_place_over_sse_and_in_another_tab(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    busy = await occupied(engine, "a", queue_most=5)
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


async def test_nobody_sees_a_number_while_the_model_thinks(engine: Engine, scene: Scene, tab: Tab) -> None:
    busy = await occupied(engine, "a", "b", queue_most=5)
    await tab.send()
    assert (await tab.until(Waiting, lambda told: told.message_id is not UNSET)).ahead == 1
    await busy.end_all()
    await tab.until(Chunk)
    assert tab.of(Waiting)[-1].ahead is None


async def test_a_repeat_joins_its_answer_however_long_the_queue_is(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", queue_most=1)
    rid = await tab.send("hello?")
    first = await tab.until(Ack)
    if not tab.of(Waiting):
        await tab.until(Waiting)
    await tab.send("hello?", rid)
    assert (await tab.until(Ack)).message_id == first.message_id
    assert tab.of(CommandError) == []
    await busy.end_all()
    await tab.answer()


async def test_the_place_is_told_before_the_message_is_accepted(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", "b", queue_most=5)
    rid = await tab.send()
    first = await tab.until(Waiting)
    assert (first.request_id, first.message_id, first.ahead) == (rid, UNSET, 1)
    assert tab.acks() == []
    named = await tab.until(Waiting)
    assert (named.message_id, named.ahead) == ((await tab.until(Ack)).message_id, 1)
    await busy.end_all()
    await tab.answer()


async def test_of_a_crowd_that_comes_at_once_nobody_is_accepted_whom_the_queue_cannot_hold(
    engine: Engine, tab: Tab
) -> None:
    busy = await occupied(engine, "a", queue_most=1)
    with engine.providers.admission.expecting():
        rid = await tab.send("one too many")
        assert (await tab.refusal()).request_id == rid
    assert not await Message.objects.filter(content="one too many").aexists()
    await busy.end_all()


async def test_the_refused_are_not_all_asked_back_at_once(engine: Engine, tab: Tab) -> None:
    busy = await occupied(engine, "a", "b", queue_most=1)
    waits = set()
    for number in range(4):
        await tab.send(f"no room {number}")
        waits.add((await tab.refusal()).retry_after_ms)
    assert len(waits) > 1
    await busy.end_all()


async def test_many_who_find_no_room_are_looked_for_with_one_question(engine: Engine, scene: Scene, tab: Tab) -> None:
    rid = await tab.send("hello")
    await tab.answer()
    user_id = scene.alice.pk
    asked: list[Collection[tuple[int, str]]] = []

    def known(requests: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        asked.append(requests)
        return generations.known(requests)

    repeats = Repeats(Trips(), known)
    requests = [(user_id, rid), (user_id, "new"), (user_id + 1, rid)]
    found = await asyncio.gather(*(repeats.have(*request) for request in requests))
    assert found == [True, False, False]
    assert len(asked) == 1
