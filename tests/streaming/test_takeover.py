"""An answer whose process has gone is continued by the next one; whoever comes late writes nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from chat import generations
from chat.messages import Accepted, Request, accept_send
from chat.models import Generation, Message, ProcessLease, Room, Trace
from streaming.endings import load_ending
from streaming.engine import Engine
from streaming.events import Chunk, End, Rewind, Snapshot
from streaming.lease import HOST
from streaming.run import Run, Terminal
from tests.people import make_room, make_route, make_user, request_id, sign_in
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = 'Once upon a time *she waited* by the lamp. "Who is there?" 그리고 아침이 왔다.'
#: No process has this number: it is above every limit.
GONE = f"{HOST}:99999999:dead0000"
ELSEWHERE = "another-machine:7:beef0000"


class Scene:
    def __init__(self, **route: Any) -> None:
        self.alice = make_user("alice")
        self.room: Room = make_room(self.alice)
        self.session = sign_in(self.alice)
        self.route = make_route(**{"options": {"text": STORY}, "can_prefill": True, **route})

    def abandoned(self, owner: str = GONE, text: str = STORY[:20], seq: int = 5, **request: Any) -> Accepted:
        """An answer accepted and checkpointed by an owner that is no more."""
        asked = Request(self.alice.pk, self.room.pk, request_id(), "stream", owner, **request)
        accepted = accept_send(asked, "hi")
        assert generations.checkpoint(owner, [(accepted.message_id, text, seq)]) == 1
        return accepted


async def ended(engine: Engine, accepted: Accepted) -> Terminal:
    """The engine looks for the abandoned by itself as well: the answer may be over already."""
    run = engine.runner.get(accepted.message_id)
    if run is not None:
        terminal = await asyncio.wait_for(run.ended, 15)
    else:
        ending = await sync_to_async(load_ending)(accepted.user_id, accepted.message_id)
        terminal = ending if isinstance(ending, Terminal) else None
    assert terminal is not None, "nobody took the answer over"
    return terminal


@pytest.mark.parametrize("can_prefill", [True, False], ids=["by prefill", "by instruction"])
async def test_an_abandoned_answer_is_finished_character_for_character(engine: Engine, can_prefill: bool) -> None:
    scene = await sync_to_async(Scene)(can_prefill=can_prefill)
    accepted = await sync_to_async(scene.abandoned)()
    await engine.ownership.adopt()
    terminal = await ended(engine, accepted)
    assert isinstance(terminal, End)
    assert terminal.content == STORY
    assert terminal.attempt == 2
    message = await Message.objects.aget(pk=accepted.message_id)
    assert (message.content, message.status) == (STORY, "complete")


async def test_a_taken_over_answers_trace_does_not_pretend_to_know_its_first_words(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)()
    await engine.ownership.adopt()
    await ended(engine, accepted)
    await engine.runner.settled()
    trace = await Trace.objects.aget(message_id=accepted.message_id)
    assert (trace.attempt, trace.outcome, trace.ttft_ms, trace.abandoned) == (2, "done", None, "mid_answer")
    assert trace.completion_ms == trace.marks["end_frame"]
    assert trace.kind == "reply"
    assert 0 <= trace.marks["took_over"] <= trace.marks["first_frame"]


@pytest.mark.parametrize(("cohort", "stage"), [("control", 2), ("stream", 3), ("", 0)])
async def test_a_taken_over_answer_counts_in_the_cohort_it_was_accepted_in(
    engine: Engine, cohort: str, stage: int
) -> None:
    """Everybody is streamed to by now."""
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)(cohort=cohort, stage=stage)
    await engine.ownership.adopt()
    await ended(engine, accepted)
    await engine.runner.settled()
    trace = await Trace.objects.aget(message_id=accepted.message_id)
    assert (trace.attempt, trace.cohort, trace.stage) == (2, cohort, stage)


async def test_a_reader_of_the_old_attempt_is_rewound_and_ends_with_the_whole_text(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)()
    tab = Tab(scene.room.pk, scene.session)
    await tab.open()
    await engine.ownership.adopt()
    rewind = await tab.until(Rewind)
    end = await tab.answer()
    assert (rewind.length, rewind.seq, rewind.attempt) == (20, 6, 2)
    assert STORY[:20] + "".join(c.chunk for c in tab.of(Chunk)) == end.content == STORY
    await tab.close()
    assert accepted.message_id == end.message_id


async def test_a_reader_that_resumes_before_the_takeover_gets_the_checkpoint_and_then_the_rest(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)(ELSEWHERE)
    tab = Tab(scene.room.pk, scene.session)
    await tab.open()
    await tab.say("resume", known=[{"messageId": accepted.message_id, "attempt": 1, "seq": 2, "length": 6}])
    assert (await tab.until(Snapshot)).text == STORY[:20]
    await engine.ownership.adopt()
    assert (await tab.answer()).content == STORY
    await tab.close()


async def test_an_answer_of_a_living_owner_is_left_alone(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)(ELSEWHERE)
    await sync_to_async(generations.renew_lease)(ELSEWHERE, seconds=settings.STREAM_LEASE_SECONDS)
    await engine.ownership.adopt()
    assert engine.runner.get(accepted.message_id) is None
    await ProcessLease.objects.filter(owner=ELSEWHERE).aupdate(expires_at=timezone.now() - timedelta(seconds=1))
    await engine.ownership.adopt()
    assert isinstance(await ended(engine, accepted), End)


async def test_a_dead_process_of_this_machine_is_not_waited_for(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)(GONE)
    await sync_to_async(generations.renew_lease)(GONE, seconds=60)
    await engine.ownership.adopt()
    assert isinstance(await ended(engine, accepted), End)


async def test_a_zombie_can_neither_checkpoint_nor_settle(engine: Engine) -> None:
    scene = await sync_to_async(Scene)()
    accepted = await sync_to_async(scene.abandoned)(GONE)
    await engine.ownership.adopt()
    await ended(engine, accepted)
    late = generations.Outcome(status="done", text="zombie", last_seq=9)
    assert not await sync_to_async(generations.settle)(accepted.message_id, 1, late)
    assert await sync_to_async(generations.checkpoint)(GONE, [(accepted.message_id, "zombie", 9)]) == 0
    assert (await Message.objects.aget(pk=accepted.message_id)).content == STORY


async def test_a_run_that_was_taken_from_us_stops_here(engine: Engine) -> None:
    scene = await sync_to_async(Scene)(options={"text": STORY, "hang_at_chunk": 3})
    tab = Tab(scene.room.pk, scene.session)
    await tab.open()
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 3)
    run = engine.runner.get(chunk.message_id)
    assert isinstance(run, Run)
    await sync_to_async(generations.claim)(chunk.message_id, 1, ELSEWHERE)
    await engine.checkpoint.flush()
    assert await asyncio.wait_for(run.ended, 15) is None
    assert (await Generation.objects.aget(pk=chunk.message_id)).status == "running"
    await tab.close()


async def test_when_nothing_can_continue_it_the_answer_is_interrupted_and_kept(engine: Engine) -> None:
    options = {"text": STORY, "fail_at_chunk": 0, "fail_code": "provider_refused", "fail_retryable": False}
    scene = await sync_to_async(Scene)(options=options)
    accepted = await sync_to_async(scene.abandoned)()
    await engine.ownership.adopt()
    terminal = await ended(engine, accepted)
    assert isinstance(terminal, End)
    assert (terminal.content, terminal.finish_reason) == (STORY[:20], "interrupted")


async def test_a_stopped_engine_leaves_its_answers_for_the_next_one(engine: Engine) -> None:
    scene = await sync_to_async(Scene)(options={"text": STORY, "hang_at_chunk": 3})
    tab = Tab(scene.room.pk, scene.session)
    await tab.open()
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 3)
    await engine.stop()
    row = await Generation.objects.aget(pk=chunk.message_id)
    assert (row.status, row.checkpoint_text) == ("running", STORY[:12])
    assert not await ProcessLease.objects.filter(owner=engine.owner).aexists()
    await tab.close()
