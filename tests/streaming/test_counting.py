"""What is counted live: once an answer, however long it is, and the same that the traces say of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram, values

from chat.kpi import live
from chat.models import Trace
from streaming.engine import Engine
from tests.streaming.seats import Tab
from tests.streaming.test_settling import Scene, scene, tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
__all__ = ["scene", "tab"]


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each time that a number of a metric is touched."""
    touched: list[None] = []
    for name in ("inc", "set"):
        real = getattr(values.MutexValue, name)

        def counted(self: Any, *args: Any, real: Any = real, **named: Any) -> Any:
            touched.append(None)
            return real(self, *args, **named)

        monkeypatch.setattr(values.MutexValue, name, counted)
    return touched


async def told(tab: Tab, engine: Engine) -> None:
    await tab.send()
    await tab.answer()
    await engine.runner.settled()


async def test_a_long_answer_is_counted_as_often_as_a_short_one(
    tab: Tab, scene: Scene, engine: Engine, counts: list[None]
) -> None:
    touched = []
    for length in (4, 400):
        await scene.script(options={"text": "a" * length, "chunk_chars": 1})
        counts.clear()
        await told(tab, engine)
        touched.append(len(counts))
    # Once a second, and once in 15, something else is.
    assert touched[0] - 8 <= touched[1] <= touched[0] + 8
    assert 10 <= touched[0] <= 60


async def test_what_is_counted_live_is_what_the_trace_says(tab: Tab, scene: Scene, engine: Engine) -> None:
    before = live.SENDS.labels("stream", "stream")._value.get(), _seen("server")
    await told(tab, engine)
    trace = await Trace.objects.alatest("created_at")
    assert trace.ttft_ms is not None
    assert live.SENDS.labels(trace.path, trace.cohort)._value.get() == before[0] + 1
    assert _seen("server") - before[1] == pytest.approx(trace.ttft_ms / 1000)


def _seen(source: str) -> float:
    total: float = live.FIRST_WORDS.labels("stream", "stream", source)._sum.get()
    return total


def test_quantiles_of_a_histogram_are_within_their_bucket() -> None:
    registry = CollectorRegistry()
    shown = Histogram(
        "soksak_first_words_seconds", "", ["path", "cohort", "source"], buckets=live.WORDS_BUCKETS, registry=registry
    )
    for n in range(1, 101):
        shown.labels("stream", "stream" if n % 2 else "", "server").observe(n / 100)
    shown.labels("sse", "", "browser").observe(1e9)
    stream, sse = sorted(live.read(registry), key=lambda each: each.count, reverse=True)
    assert (stream.count, stream.path, stream.source) == (100, "stream", "server")
    assert stream.seconds == pytest.approx((0.5, 0.95, 0.99), abs=0.01)
    assert sse.seconds == (float("inf"),) * 3
    assert live.read(CollectorRegistry()) == []


def test_counting_an_answer_through_a_folder_costs_little(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())  # type: ignore[no-untyped-call]
    gauge = Gauge("g", "", multiprocess_mode="livesum", registry=CollectorRegistry())
    began = time.process_time()
    for _ in range(1000):
        gauge.inc()
    # Some 2 µs; an answer has about forty of them.
    assert (time.process_time() - began) / 1000 < 100e-6
