"""An Ollama on its default port is offered, and nothing else is taken for one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatproject.launch import ollama


def test_its_models_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({"models": [{"name": "llama3.2:latest"}]}) as port:
        monkeypatch.setattr(ollama, "PORT", port)
        assert ollama.find_models() == ["llama3.2:latest"]
        command = ollama.command_to_use("llama3.2:latest", 8000)
        assert command == (
            f"PROVIDER_BASE_URL=http://127.0.0.1:{port}/v1 PROVIDER_MODEL=llama3.2:latest make run PORT=8000"
        )


def test_another_program_on_its_port_is_no_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({"hello": []}) as port:
        monkeypatch.setattr(ollama, "PORT", port)
        assert ollama.find_models() == []


def test_nobody_on_its_port_is_no_ollama(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setattr(ollama, "PORT", free_port)
    assert ollama.find_models() == []


@contextmanager
def answering(body: object) -> Iterator[int]:
    """A server on loopback that answers every GET with this JSON; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            payload = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
