"""An open page is told of another path, once, and only whom it concerns."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from chat import stages
from chat.stages.changes import Order
from streaming.events import PathChanged
from tests.streaming.scenes import Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
ALICE = Order("alice", "a test")


@sync_to_async
def roll_back() -> None:
    stages.rollback(ALICE)


async def test_a_page_that_the_rollout_leaves_behind_is_told_and_streams_no_more(scene: Scene, tab: Tab) -> None:
    await roll_back()
    assert (await tab.until(PathChanged)).path == "completed"
    await tab.send()
    # On the same socket, whole: not a word was sent before all were there.
    end = await tab.answer()
    assert tab.text() == end.content
    await sync_to_async(stages.promote)(ALICE, to=4)
    assert (await tab.until(PathChanged)).path == "stream"


async def test_who_keeps_the_path_hears_nothing(tab: Tab) -> None:
    await sync_to_async(stages.hold)(ALICE)
    await sync_to_async(stages.rollback)(ALICE)
    # The hold, which changes nobody's path, came first.
    assert (await tab.until(PathChanged)).path == "completed"
    await tab.send()
    await tab.answer()
    assert len(tab.of(PathChanged)) == 1


async def test_whoever_comes_while_it_changes_is_told_at_the_next_beat(scene: Scene) -> None:
    tab = scene.tab()
    ready = await tab.open()
    assert ready.path == "stream"
    await roll_back()
    assert (await tab.until(PathChanged)).path == "completed"
    late = scene.tab()
    assert (await late.open()).path == "completed"
    for each in (tab, late):
        await each.close()
