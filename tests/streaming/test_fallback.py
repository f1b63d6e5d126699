"""A bad day of several routes, in a room: the reader gets each character once, and the trace tells what happened."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from streaming.engine import Engine
from streaming.events import Failure, Rewind, Snapshot
from tests.people import make_route
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

SHORT_SECONDS = 0.1


async def add_routes(scene: Scene, *routes: tuple[str, dict[str, Any], dict[str, float]]) -> None:
    """(name, script, limits) each; the scene's own route is gone."""

    def add() -> None:
        scene.route.delete()
        for sort, (name, script, limits) in enumerate(routes):
            make_route(name=name, sort=sort, options={"text": STORY, **script}, can_prefill=True, **limits)

    await sync_to_async(add)()


async def calls_of(engine: Engine, scene: Scene, rid: str) -> list[tuple[str, str, str]]:
    await engine.runner.settled()
    trace = await scene.alice.traces.aget(request_id=rid)
    return [(call["route"], call["why"], call["outcome"]) for call in trace.calls]


async def test_each_timer_and_each_fallback_leaves_its_mark_in_the_trace(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    await add_routes(
        scene,
        ("keyless", {"no_such": 1}, {}),
        ("silent", {"hang_at_chunk": 0}, {"first_content_seconds": SHORT_SECONDS}),
        ("halting", {"hang_at_chunk": 3}, {"gap_seconds": SHORT_SECONDS}),
        ("whole", {}, {}),
    )
    rid = await tab.send()
    assert (await tab.answer()).content == STORY == tab.text()
    assert tab.of(Rewind) + tab.of(Snapshot) + tab.of(Failure) == [], "the reader sees words, once, and nothing else"
    assert await calls_of(engine, scene, rid) == [
        ("keyless", "first", "provider_not_configured"),
        ("silent", "next", "provider_first_content_timeout"),
        ("halting", "next", "provider_gap_timeout"),
        ("halting", "go_on", "provider_gap_timeout"),
        ("whole", "go_on", "stop"),
    ]


async def test_an_answer_that_takes_too_long_as_a_whole_is_gone_on_with(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    slow = {"chunk_chars": 1, "chunks_per_second": 20.0}
    await add_routes(scene, ("slow", slow, {"total_seconds": 0.4}), ("whole", {}, {}))
    rid = await tab.send()
    assert (await tab.answer()).content == STORY == tab.text()
    first, *_, last = await calls_of(engine, scene, rid)
    assert first == ("slow", "first", "provider_total_timeout")
    assert last == ("whole", "go_on", "stop")
