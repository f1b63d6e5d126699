"""When something of ours is away: the database at accept, at a checkpoint, at the end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from chat import generations
from chat.models import Generation, OutboxJob, Trace
from chat.post_processing import JOBS
from streaming import metrics
from streaming.engine import Engine
from streaming.events import Chunk, UserMessage
from streaming.instrumentation import STAGES
from tests.people import make_room, make_route, make_user, sign_in
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = "Once upon a time there was a lamp."


def away(*_: Any, **__: Any) -> Any:
    raise OperationalError("database is locked")


def full(*_: Any, **__: Any) -> Any:
    raise OperationalError("database or disk is full")


@pytest.fixture
async def tab(engine: Engine, transactional_db: None) -> Any:
    def scene() -> Tab:
        alice = make_user("alice")
        make_route(options={"text": STORY, "chunks_per_second": 200})
        return Tab(make_room(alice).pk, sign_in(alice))

    tab = await sync_to_async(scene)()
    await tab.open()
    yield tab
    await tab.close()


async def test_a_database_that_is_locked_at_accept_refuses_and_asks_no_model(tab: Tab, engine: Engine) -> None:
    with patch("streaming.turns.accept_send", away), patch.object(engine.runner, "start") as started:
        rid = await tab.send()
        refusal = await tab.refusal()
    assert (refusal.code, refusal.request_id) == ("database_unavailable", rid)
    assert not started.called
    assert not tab.of(UserMessage)
    await tab.send(rid=rid)
    assert (await tab.answer()).content == STORY


async def test_a_full_disk_at_a_checkpoint_costs_durability_never_the_text(tab: Tab, engine: Engine) -> None:
    before = metrics.CHECKPOINT_FAILURES._value.get()
    with patch.object(generations, "checkpoint", full):
        await tab.send()
        await tab.until(Chunk)
        await engine.checkpoint.flush()
        assert metrics.CHECKPOINT_FAILURES._value.get() > before
        assert metrics.CHECKPOINT_LAG._value.get() == 1
        end = await tab.answer()
    assert tab.text() == end.content == STORY


async def test_an_end_that_cannot_be_committed_is_tried_until_it_is(tab: Tab) -> None:
    real, tried = generations.settle, asyncio.Event()
    loop, failures = asyncio.get_running_loop(), iter([True, True, False])

    def settle(*args: Any) -> bool:
        if next(failures):
            loop.call_soon_threadsafe(tried.set)
            away()
        return real(*args)

    with patch.object(generations, "settle", settle), patch("streaming.closing.SETTLE_RETRY_FIRST_SECONDS", 0.01):
        await tab.send()
        end = await tab.answer()
    assert tried.is_set()
    assert end.content == STORY
    assert (await Generation.objects.aget(pk=end.message_id)).status == "done"


async def test_post_processing_is_due_only_after_the_end_was_told(tab: Tab, engine: Engine) -> None:
    engine.outbox.stop()
    await tab.send()
    with patch("streaming.runner.close_up"):
        end = await tab.answer()
    job = await OutboxJob.objects.aget(message_id=end.message_id)
    assert job.status == "waiting"
    assert job.available_at > (await Generation.objects.aget(pk=end.message_id)).created_at


async def test_words_do_not_wait_for_post_processing_that_hangs(tab: Tab, settings: Any) -> None:
    """P4. Not a matter of milliseconds: the job is let go only after the next answer has ended."""
    settings.REDIS_URL = ""
    entered, let_go = threading.Event(), threading.Event()

    def hangs(*message_ids: object) -> None:
        entered.set()
        assert let_go.wait(60)

    with patch.dict(JOBS, after_reply=hangs):
        try:
            await tab.send()
            await tab.answer()
            assert await asyncio.to_thread(entered.wait, 30)
            await tab.send()
            await tab.until(Chunk)
            assert (await tab.answer()).content == STORY
            assert not let_go.is_set()
        finally:
            let_go.set()


async def test_words_do_not_wait_for_post_processing_that_fails(tab: Tab, engine: Engine, settings: Any) -> None:
    settings.REDIS_URL = ""
    with patch.dict(JOBS, after_reply=away):
        for _ in range(2):
            await tab.send()
            end = await tab.answer()
            assert end.content == STORY
        await engine.runner.settled()
        # It looks once more before it ends, and must find the job that fails.
        await asyncio.to_thread(engine.outbox.stop)
    jobs = [job async for job in OutboxJob.objects.all()]
    assert [(job.status, job.attempts > 0) for job in jobs] == [("waiting", True)] * 2


async def test_a_traces_marks_are_stored_in_order_with_their_fields(tab: Tab, engine: Engine) -> None:
    rid = await tab.send()
    end = await tab.answer()
    await engine.runner.settled()
    trace = await Trace.objects.select_related("character").aget(request_id=rid)
    assert [stage for stage in STAGES if stage in trace.marks] == list(STAGES)
    values = [trace.marks[stage] for stage in STAGES if stage not in ("end_frame", "settled")]
    assert values == sorted(values)
    assert trace.marks["settled"] <= trace.marks["end_frame"]
    assert (trace.path, trace.outcome, trace.character.slug) == ("stream", "done", "mina")
    assert trace.message_id == end.message_id
