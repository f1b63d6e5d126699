"""What nobody waits for is obeyed before a task is woken, where the server calls; the rest is received as anywhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat import rates
from streaming.consumer import FLOOD_REFUSALS, HEARD_BY, Hear
from streaming.engine import Engine
from streaming.events import Chunk, CommandError, End, Ready
from tests.people import request_id
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


class CalledTab(Tab):
    """`hear` is whom its server would call now."""

    hear: Hear | None = None

    async def open(self) -> Ready:
        self.socket.scope["extensions"] = {HEARD_BY: self._called_by}
        return await super().open()

    def _called_by(self, hear: Hear | None) -> None:
        self.hear = hear

    def is_heard(self, type_: str, **fields: Any) -> bool:
        """Said as browsers write it; False: it would have to be received."""
        assert self.hear is not None
        return self.hear(json.dumps({"type": type_, **fields}, default=str, separators=(",", ":")))


@pytest.fixture
async def tab(scene: Scene) -> AsyncIterator[CalledTab]:
    tab = CalledTab(scene.room.pk, scene.alices, acknowledges=False)
    await tab.open()
    yield tab
    await tab.close()
    assert tab.hear is None, "who has left is called no more"


async def test_credit_returns_at_once(engine: Engine, scene: Scene, tab: CalledTab, settings: Any) -> None:
    settings.STREAM_WINDOW_EVENTS = 1
    narrow = CalledTab(scene.room.pk, scene.alices, acknowledges=False)
    await narrow.open()
    await scene.script(chunks_per_second=200)
    await narrow.send()
    while not narrow.of(End):
        event = await narrow.next()
        if isinstance(event, Chunk):
            assert narrow.is_heard("received", messageId=event.message_id, seq=event.seq)
    assert narrow.text() == STORY
    assert len(narrow.of(Chunk)) > 1, "else there was credit for all of it"
    await narrow.close()


async def test_a_report_right_after_an_answer_is_noted_at_once(engine: Engine, scene: Scene, tab: CalledTab) -> None:
    rid = await tab.send()
    await tab.answer()
    await tab.until(object, lambda event: getattr(event, "stage", "") == "done")
    assert tab.is_heard("timing", requestId=rid, marks={"first_paint": 12.5})
    await engine.runner.settled()
    trace = await scene.alice.traces.aget(request_id=rid)
    assert trace.client_marks == {"first_paint": 12.5}
    assert not tab.is_heard("timing", requestId=rid, marks={"first_paint": 13.5}), "its row is written"


async def test_a_report_that_cannot_be_read_is_refused_when_its_trace_is_made(
    engine: Engine, scene: Scene, tab: CalledTab
) -> None:
    rid = await tab.send()
    await tab.answer()
    assert tab.is_heard("timing", requestId=rid, marks={"first_paint": "soon"})
    await engine.runner.settled()
    assert (await tab.refusal()).code == "invalid_fields"
    assert (await scene.alice.traces.aget(request_id=rid)).client_marks == {}


async def test_a_report_that_is_too_large_is_kept_by_nobody(
    engine: Engine, scene: Scene, tab: CalledTab, settings: Any
) -> None:
    rid = await tab.send()
    await tab.answer()
    assert not tab.is_heard("timing", requestId=rid, marks={"end": 1.0}, more="x" * settings.CHAT_FRAME_MAX_BYTES)


async def test_a_report_is_of_the_request_that_it_begins_with(engine: Engine, scene: Scene, tab: CalledTab) -> None:
    rid = await tab.send()
    await tab.answer()
    assert tab.hear is not None
    assert tab.hear(f'{{"type":"timing","requestId":"{rid}","marks":{{"end":12.5}},"requestId":"{request_id()}"}}')
    await engine.runner.settled()
    assert (await scene.alice.traces.aget(request_id=rid)).client_marks == {}


async def test_what_waits_for_something_or_is_refused_has_to_be_received(tab: CalledTab) -> None:
    assert not tab.is_heard("send_message", requestId=request_id(), text="hi")
    assert not tab.is_heard("timing", requestId=request_id(), marks={"first_paint": 12.5})
    assert not tab.is_heard("timing", requestId="", marks={})
    assert not tab.is_heard("received", seq=1)
    assert not tab.is_heard("received", messageId=request_id(), seq=-1)


async def test_many_reports_are_refused_as_any_commands_are(
    engine: Engine, scene: Scene, tab: CalledTab, settings: Any
) -> None:
    rid = await tab.send()
    await tab.answer()
    rates.forget()
    settings.CHAT_COMMANDS_PER_MINUTE = 1
    assert [tab.is_heard("timing", requestId=rid, marks={"first_paint": 12.5}) for _ in range(2)] == [True, False]
    await tab.say("timing", requestId=rid, marks={"first_paint": 12.5})
    assert (await tab.refusal()).code == "rate_limited"


async def test_who_floods_is_not_heard(engine: Engine, scene: Scene, tab: CalledTab) -> None:
    rid = await tab.send()
    await tab.answer()
    for _ in range(FLOOD_REFUSALS + 1):
        await tab.say("fly")
    while len(tab.of(CommandError)) <= FLOOD_REFUSALS:
        await tab.next()
    assert not tab.is_heard("timing", requestId=rid, marks={"first_paint": 12.5})
