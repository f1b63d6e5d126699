"""Spans: one a request, sent where an exporter is configured; nothing is imported where none is."""

from __future__ import annotations

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
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector's address, and what was sent to it."""
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
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_an_exporter_no_span_is_made(settings: Any) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = ""
    assert telemetry.tracer() is None
    assert check_watching() == []


@pytest.mark.skipif(has_exporter(), reason="OpenTelemetry is installed")
def test_an_exporter_without_its_packages_is_told_and_stops_nothing(settings: Any) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    assert telemetry.tracer() is None
    (warning,) = check_watching()
    assert warning.id == "chatproject.W005"
    assert "opentelemetry-exporter-otlp-proto-http" in str(warning.hint)


@pytest.mark.skipif(not has_exporter(), reason="OpenTelemetry is not installed")
@pytest.mark.django_db(transaction=True)
async def test_a_requests_spans_reach_the_collector(
    engine: Engine, scene: Scene, tab: Tab, collector: tuple[str, list[bytes]], settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT, bodies = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector[0])
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    telemetry.tracer().span_processor.force_flush()
    told = b"".join(bodies)
    for name in (rid, "answer", "first_frame", "provider", str(scene.room.pk), "mina", "stream"):
        assert name.encode() in told, name
    telemetry.tracer().span_processor.shutdown()


@pytest.mark.parametrize(("name", "value"), [("TRACE_RETENTION_DAYS", -1), ("TIMINGS_LATE_SECONDS", 0.0)])
def test_what_is_kept_for_less_than_no_time_is_an_error(settings: Any, name: str, value: float) -> None:
    setattr(settings, name, value)
    assert [message.id for message in check_watching()] == ["chatproject.E007"]
