"""Who leaves while they wait is noticed by the server at every door, in the state in which it happened, and once."""

from __future__ import annotations

import asyncio

import pytest
from django.test import AsyncClient

from chat.models import Generation, Trace
from streaming import latecomers
from streaming.engine import Engine
from streaming.events import Chunk, Start
from streaming.run import Run
from tests.people import request_id
from tests.streaming.following import begun
from tests.streaming.scenes import STORY, Scene, post, sse
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

SLOWLY = {"chunks_per_second": 40.0}
LATE = {"first_delay_seconds": 0.5}


async def over(engine: Engine, run: Run) -> Trace:
    """The trace, once the answer has ended."""
    await run.ended
    await engine.runner.settled()
    return await Trace.objects.aget(request_id=run.key.request_id)


async def noted(engine: Engine) -> None:
    """What latecomers changed is written."""
    await asyncio.gather(*engine.runner.latecomers._tasks)


async def test_who_reads_to_the_end_has_left_nothing(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Start)
    run = await begun(engine)
    await tab.answer()
    trace = await over(engine, run)
    assert (trace.abandoned, trace.resumes, {"left", "back"} & trace.marks.keys()) == ("", 0, set())
    assert (trace.ttft_source, trace.cohort, trace.stage, trace.kind) == ("server", "stream", 4, "reply")
    assert trace.ttft_ms == trace.marks["first_frame"]
    assert trace.completion_ms == trace.marks["end_frame"]
    assert trace.route_name == "scripted"


async def test_a_socket_that_closes_before_the_first_words(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**LATE)
    await tab.send()
    await tab.until(Start)
    run = await begun(engine)
    await tab.close()
    trace = await over(engine, run)
    assert (trace.abandoned, trace.outcome) == ("before_words", "done")
    assert trace.marks["accepted"] < trace.marks["left"] < trace.marks["first_frame"]


async def test_a_socket_that_closes_in_the_middle(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    await tab.close()
    assert (await over(engine, run)).abandoned == "mid_answer"


async def test_another_tab_reads_on(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    other = scene.tab()
    await other.open()
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    await tab.close()
    await other.answer()
    trace = await over(engine, run)
    assert (trace.abandoned, trace.resumes) == ("", 0)
    await other.close()


async def test_who_comes_back_while_it_is_written_has_not_left(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    await tab.close()
    again = scene.tab()
    await again.open()
    await again.say("resume", known=[])
    assert (await again.answer()).content == STORY
    trace = await over(engine, run)
    assert (trace.abandoned, trace.resumes) == ("", 1)
    assert trace.marks["back"] > trace.marks["accepted"]
    await again.close()


async def test_who_comes_back_a_moment_after_the_end_has_not_left(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    await tab.close()
    assert (await over(engine, run)).abandoned == "mid_answer"
    again = scene.tab()
    await again.open()
    await noted(engine)
    trace = await Trace.objects.aget()
    assert (trace.abandoned, trace.resumes) == ("", 1)
    await again.close()


async def test_who_asks_for_the_end_by_http_a_moment_after_it_has_not_left(
    engine: Engine, scene: Scene, tab: Tab, client: AsyncClient
) -> None:
    await scene.script(**LATE)
    rid = await tab.send()
    await tab.until(Start)
    run = await begun(engine)
    await tab.close()
    assert (await over(engine, run)).abandoned == "before_words"
    await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")
    await noted(engine)
    assert (await Trace.objects.aget()).abandoned == ""


async def test_who_comes_back_much_later_had_left(
    engine: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    await tab.close()
    await over(engine, run)
    monkeypatch.setattr(latecomers, "GRACE_SECONDS", 0.0)
    again = scene.tab()
    await again.open()
    await noted(engine)
    assert (await Trace.objects.aget()).abandoned == "mid_answer"
    await again.close()


async def test_a_waiting_request_that_is_given_up(engine: Engine, scene: Scene, client: AsyncClient) -> None:
    await scene.script(**SLOWLY)
    body = {"roomId": scene.room.pk, "requestId": request_id(), "text": "hi"}
    leaving = asyncio.create_task(post(client, "/chat/messages", **body))
    run = await begun(engine)
    await asyncio.sleep(0)
    leaving.cancel()
    trace = await over(engine, run)
    assert (trace.path, trace.abandoned) == ("fallback", "before_words")


async def test_a_waiting_request_that_waits(engine: Engine, scene: Scene, client: AsyncClient) -> None:
    await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")
    await engine.runner.settled()
    trace = await Trace.objects.aget()
    assert (trace.path, trace.abandoned, trace.resumes, "back" in trace.marks) == ("fallback", "", 0, False)
    assert trace.ttft_ms == trace.marks["end_frame"], "nothing is seen before"


@pytest.mark.parametrize(("is_cut", "abandoned"), [(False, ""), (True, "mid_answer")])
async def test_an_event_stream_is_read_or_cut(
    engine: Engine, scene: Scene, client: AsyncClient, is_cut: bool, abandoned: str
) -> None:
    await scene.script(**SLOWLY)
    response = await post(
        client, "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi"
    )
    run, has_words = await begun(engine), asyncio.Event()

    async def read() -> None:
        async for frame in sse(response):
            if frame["event"] == "ai_message_chunk":
                has_words.set()

    # A server cancels what serves a client that has gone.
    reading = asyncio.create_task(read())
    await has_words.wait()
    if is_cut:
        reading.cancel()
    trace = await over(engine, run)
    assert (trace.path, trace.abandoned, trace.resumes, "back" in trace.marks) == ("sse", abandoned, 0, False)


async def test_the_beacon_and_the_closing_socket_are_one_result(
    engine: Engine, scene: Scene, tab: Tab, client: AsyncClient
) -> None:
    await scene.script(**LATE)
    rid = await tab.send()
    await tab.until(Start)
    run = await begun(engine)
    marks = {"click": 0.0, "sent": 1.0, "abandoned_before_words": 200.0}
    await post(client, "/chat/timings", type="timing", requestId=rid, roomId=scene.room.pk, marks=marks)
    await tab.close()
    trace = await over(engine, run)
    assert (trace.abandoned, trace.client_marks) == ("before_words", marks)
    assert await Trace.objects.acount() == 1


async def test_readers_that_a_draining_process_sends_away_have_not_left(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(**SLOWLY)
    await tab.send()
    await tab.until(Chunk)
    run = await begun(engine)
    run.attendance.excuse()
    await tab.close()
    assert (await over(engine, run)).abandoned == ""


async def test_a_stopped_answer_is_not_an_abandoned_one(engine: Engine, scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=2)
    await tab.send()
    chunk = await tab.until(Chunk)
    run = await begun(engine)
    await tab.say("stop", messageId=chunk.message_id, seenLength=4)
    await tab.answer()
    await tab.close()
    trace = await over(engine, run)
    assert (trace.outcome, trace.abandoned, trace.completion_ms) == ("stopped", "", None)
    assert await Generation.objects.acount() == 1
