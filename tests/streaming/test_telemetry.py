"""Spans: one a request, sent where an exporter is configured; nothing is imported where none is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from chatproject.checks import check_watching, has_exporter
from streaming import telemetry
from streaming.engine import Engine
from tests.streaming.scenes import Scene
from tests.streaming.seats import Tab


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    telemetry.tracer.cache_clear()
    yield
    telemetry.tracer.cache_clear()


@pytest.fixture
def collected(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What is sent to the collector that is configured."""
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", settings.OTEL_EXPORTER_OTLP_ENDPOINT)
    yield bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_an_exporter_no_span_is_made(settings: Any) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = ""
    assert telemetry.tracer() is None
    assert check_watching() == []


def test_an_exporter_without_its_packages_is_told_and_stops_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert not has_exporter()
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    assert telemetry.tracer() is None
    (warning,) = check_watching()
    assert warning.id == "chatproject.W005"
    assert "opentelemetry-exporter-otlp-proto-http" in str(warning.hint)


@pytest.mark.django_db(transaction=True)
async def test_a_requests_spans_reach_the_collector(
    collected: list[bytes], engine: Engine, scene: Scene, tab: Tab
) -> None:
    assert telemetry.tracer.cache_info().currsize == 1, "imported before anybody waits for a word"
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    telemetry.tracer().span_processor.force_flush()
    told = b"".join(collected)
    for name in (rid, "answer", "first_frame", "provider", str(scene.room.pk), "mina", "stream"):
        assert name.encode() in told, name
    telemetry.tracer().span_processor.shutdown()


@pytest.mark.parametrize(("name", "value"), [("TRACE_RETENTION_DAYS", -1), ("TIMINGS_LATE_SECONDS", 0.0)])
def test_what_is_kept_for_less_than_no_time_is_an_error(settings: Any, name: str, value: float) -> None:
    setattr(settings, name, value)
    assert [message.id for message in check_watching()] == ["chatproject.E007"]
