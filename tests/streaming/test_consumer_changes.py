"""What a tab may change: stop, another answer, more of it, an edit; every tab hears."""

from __future__ import annotations

import pytest

from chat.models import Message
from streaming.events import (
    Ack,
    Chunk,
    RoomChanged,
    Start,
)
from tests.people import request_id
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_stop_clamps_to_what_the_reader_saw(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=3)
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 3)
    await tab.say("stop", messageId=chunk.message_id, seenLength=5)
    end = await tab.answer()
    assert (end.content, end.finish_reason, end.length) == (STORY[:5], "stopped", 5)
    assert (await Message.objects.aget(pk=end.message_id)).status == "stopped"


async def test_stopping_what_has_ended_is_refused(scene: Scene, tab: Tab) -> None:
    await tab.send()
    end = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await tab.say("stop", messageId=end.message_id, seenLength=5)
    assert (await tab.refusal()).code == "message_not_running"


async def test_regenerate_makes_a_variant_that_every_tab_sees(scene: Scene, tab: Tab) -> None:
    await tab.send()
    first = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await scene.script(text="Another.")
    await tab.say("regenerate", requestId=request_id(), messageId=first.message_id)
    second = await tab.answer()
    starts = tab.of(Start)
    assert second.content == "Another."
    assert second.message_id != first.message_id
    assert (starts[0].position, starts[0].reply_to) == (starts[1].position, starts[1].reply_to)


async def test_continue_begins_with_the_text_and_goes_on(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=3)
    await tab.send()
    chunk = await tab.until(Chunk, lambda chunk: chunk.seq >= 3)
    await tab.say("stop", messageId=chunk.message_id, seenLength=12)
    stopped = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await scene.script(hang_at_chunk=-1)
    await tab.say("continue_message", requestId=request_id(), messageId=stopped.message_id)
    end = await tab.answer()
    assert end.content == STORY
    assert end.message_id != stopped.message_id


async def test_edit_select_and_rewind_tell_every_tab_the_new_head(scene: Scene, tab: Tab) -> None:
    await tab.send()
    end = await tab.answer()
    await tab.until(Ack, lambda ack: ack.stage == "done")
    await tab.say("edit_message", messageId=end.message_id, text="Edited.")
    first = await tab.until(RoomChanged)
    await tab.say("rewind", messageId=end.message_id)
    second = await tab.until(RoomChanged)
    # Naming the room moves it too, whenever that is done.
    assert second.head > first.head > 1
