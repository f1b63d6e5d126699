"""Who reads an answer at another process than its own has not left it; who leaves there has."""

from __future__ import annotations

import asyncio

import pytest
from django.test import AsyncClient

from chat.models import Trace
from streaming import hints
from streaming.engine import Engine
from streaming.events import Start
from streaming.run import Run
from tests.people import request_id
from tests.streaming.neighbours import SLOWLY, begin
from tests.streaming.scenes import Scene, post
from tests.streaming.seats import Tab
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.redis, pytest.mark.django_db(transaction=True)]


async def read_from_afar(scene: Scene, elsewhere: Engine, tab: Tab) -> Run:
    """An answer that stands still at its owner, which knows that the tab at the other process reads it."""
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    run = elsewhere.runner.get(turn.accepted.message_id)
    assert run is not None
    await until(lambda: run.attendance.is_read, "the hint that it is read here")
    return run


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
    run = await read_from_afar(scene, elsewhere, tab)
    await tab.close()
    await until(lambda: not run.attendance.is_read, "the hint that it is read no longer")
    again = scene.tab()
    await again.open()
    await again.say("resume", known=[])
    await until(lambda: run.attendance.is_read, "the hint that it is read again")
    assert (run.attendance.resumes, run.attendance.back_at is not None) == (1, True)
    await again.close()
    await until(lambda: not run.attendance.is_read, "the hint that it is left for good")
    elsewhere.runner.stop(run.key.message_id, 99)
    await run.ended
    await elsewhere.runner.settled()
    assert "left" in (await Trace.objects.aget(message_id=run.key.message_id)).marks


async def test_readers_that_a_draining_process_sends_away_have_not_left_the_answer_of_another(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    run = await read_from_afar(scene, elsewhere, tab)
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
