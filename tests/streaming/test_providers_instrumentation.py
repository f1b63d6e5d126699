from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Histogram

from chat.labelled import observe_all, tell_noted
from streaming.instrumentation import STAGES, Meter, StageClock, observe, rounded, tenths
from streaming.providers.attempt import Joint, attempted
from streaming.providers.base import Finished, Limits, Piece, ProviderError, Text
from streaming.providers.calls import Call
from streaming.providers.continuation import Seam
from tests.clock import Clock


def test_marks_are_milliseconds_since_received() -> None:
    clock = Clock(100.0)
    stages = StageClock(clock)
    clock.now += 0.0123
    stages.mark("accepted")
    stages.set("context_loaded", 100.02)
    assert rounded(stages.marks) == {"received": 0.0, "accepted": 12.3, "context_loaded": 20.0}
    clock.now = 101.0
    assert stages.now_ms() == pytest.approx(1000.0)
    assert StageClock.since(5.0).marks == {"received": 0.0}


def test_the_first_time_counts_except_for_the_first_byte_of_an_attempt_that_failed() -> None:
    clock = Clock(100.0)
    stages = StageClock(clock)
    for stage in ("provider_asked", "first_byte", "provider_asked", "first_byte", "first_content", "first_byte"):
        clock.now += 1.0
        stages.mark(stage)
    assert rounded(stages.marks) == {
        "received": 0.0, "provider_asked": 1000.0, "first_byte": 4000.0, "first_content": 5000.0,
    }


@pytest.mark.parametrize("ms", [0.0, 0.04, 0.06, 12.34, 12.36, 59_999.99, 600_000.0, -3.14, -0.04])
def test_a_tenth_is_the_nearest_one(ms: float) -> None:
    assert tenths(ms) == round(ms, 1)


def test_an_unknown_stage_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        StageClock().mark("first_bite")
    assert "provider_asked" in STAGES


def test_observed_marks_are_in_the_histogram_of_their_path() -> None:
    path = uuid4().hex
    observe({"received": 0.0, "settled": 3000.0}, path)
    tell_noted()
    assert sample("soksak_stage_seconds_sum", stage="received", path=path) is None
    assert sample("soksak_stage_seconds_sum", stage="settled", path=path) == pytest.approx(3.0)


def test_many_observed_at_once_are_as_if_each_had_been_observed() -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    each, at_once = (Histogram("h", "", buckets=(0.1, 1.0), registry=registry) for registry in registries)
    values = [0.05, 0.1, 0.11, 1.0, 1.5, 0.0]
    for value in values:
        each.observe(value)
    observe_all(at_once, values)
    told = [[s for metric in registry.collect() for s in metric.samples] for registry in registries]
    shown = [[(s.name, s.labels, s.value) for s in samples if s.name != "h_created"] for samples in told]
    assert shown[0] == shown[1]


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


Step = float | Piece | Exception | str


async def pieces(clock: Clock, meter: Meter, steps: tuple[Step, ...]) -> AsyncGenerator[Piece]:
    """Numbers pass time, strings mark a stage, pieces are yielded, errors raised."""
    for step in steps:
        match step:
            case float():
                clock.now += step
            case str():
                meter.mark(step)
            case Exception():
                raise step
            case _:
                yield step


async def attempt(route: str, *steps: Step, until: int | None = None) -> list[str]:
    """Reads `until` pieces, or all; returns the marks that were passed on."""
    clock, marks, count = Clock(100.0), list[str](), 0
    meter = Meter(Call(route), marks.append, clock=clock)
    joint = Joint(Seam("", min_bytes=1), is_fresh=False)
    try:
        async with aclosing(attempted(pieces(clock, meter, steps), Limits(), joint, meter)) as measured:
            async for _ in measured:
                count += 1
                if count == until:
                    break
    finally:
        tell_noted()
    return marks


async def test_a_finished_attempt_is_counted_with_its_times_and_tokens() -> None:
    route = uuid4().hex
    marks = await attempt(
        route, "provider_asked", 0.2, "first_byte", 0.3, Text("a"), 0.1, Text("b"), 4.0, Text("c"), 0.5,
        Finished("length", 7, 3, 5),
    )
    assert marks == ["provider_asked", "first_byte"]
    assert sample("soksak_provider_attempts_total", route=route, outcome="length") == 1
    assert sample("soksak_provider_first_byte_seconds_sum", route=route) == pytest.approx(0.2)
    assert sample("soksak_provider_first_content_seconds_sum", route=route) == pytest.approx(0.5)
    assert sample("soksak_provider_worst_gap_seconds_sum", route=route) == pytest.approx(4.0)
    assert sample("soksak_provider_seconds_sum", route=route, outcome="length") == pytest.approx(5.1)
    assert sample("soksak_provider_tokens_total", route=route, kind="cached") == 5


async def test_a_failed_attempt_is_counted_by_its_code_and_a_left_one_as_cancelled() -> None:
    route = uuid4().hex
    with pytest.raises(ProviderError):
        await attempt(route, Text("a"), ProviderError("provider_garbage", "x", retryable=True))
    await attempt(route, Text("a"), Text("b"), until=1)
    assert sample("soksak_provider_attempts_total", route=route, outcome="provider_garbage") == 1
    assert sample("soksak_provider_attempts_total", route=route, outcome="cancelled") == 1


async def test_a_crash_of_ours_is_that_routes_garbage() -> None:
    route = uuid4().hex
    with pytest.raises(ProviderError, match="ZeroDivisionError: x") as raised:
        await attempt(route, Text("a"), ZeroDivisionError("x"))
    assert (raised.value.code, raised.value.retryable) == ("provider_garbage", False)
    assert sample("soksak_provider_attempts_total", route=route, outcome="provider_garbage") == 1


async def test_without_content_there_is_no_time_of_content() -> None:
    route = uuid4().hex
    await attempt(route, 0.1, Finished("stop"))
    assert sample("soksak_provider_first_content_seconds_count", route=route) is None
