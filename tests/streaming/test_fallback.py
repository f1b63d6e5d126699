"""A bad day of several routes, in a room: the reader gets each character once, and the trace tells what happened."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from streaming.engine import Engine
from streaming.events import Failure, Rewind, Snapshot
from streaming.providers.hedging import Budget, Hedging
from streaming.providers.latency import LEAST_COUNT
from tests.people import make_route
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

SHORT_SECONDS = 0.1


async def add_routes(scene: Scene, *routes: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    """(name, script, what else) each; the scene's own route is gone."""

    def add() -> None:
        scene.route.delete()
        for sort, (name, script, fields) in enumerate(routes):
            make_route(name=name, sort=sort, options={"text": STORY, **script}, can_prefill=True, **fields)

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


async def test_of_a_race_it_is_kept_when_the_rival_was_asked(engine: Engine, scene: Scene, tab: Tab) -> None:
    hedging = engine.providers.hedging = Hedging(Budget(100.0, 1.0))
    for _ in range(LEAST_COUNT):
        hedging.latencies.note("late", SHORT_SECONDS)
    late = {"hedges": True, "model": "late"}
    await add_routes(scene, ("late", {"hang_at_chunk": 0}, late), ("rival", {}, {"model": "rival"}))
    rid = await tab.send()
    assert (await tab.answer()).content == STORY
    assert await calls_of(engine, scene, rid) == [("late", "first", "lost"), ("rival", "hedge", "stop")]
    trace = await scene.alice.traces.aget(request_id=rid)
    first, rival = trace.calls
    # Of the first it is the very mark.
    assert first["askedMs"] == pytest.approx(trace.marks["provider_asked"], abs=5.0)
    assert SHORT_SECONDS * 900 < rival["askedMs"] - first["askedMs"] <= first["ms"]
