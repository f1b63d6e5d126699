"""daphne's sockets keep nothing of what browsers say in their handshake."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from chatproject.launch.server import SiteSocket


def test_an_open_socket_has_forgotten_its_handshake() -> None:
    socket: Any = SiteSocket()
    told: list[dict[str, Any]] = []
    socket.request = SimpleNamespace(headers={"cookie": "secret"}, path="/ws/rooms/1/")
    socket.http_request_data = b"GET /ws/rooms/1/ HTTP/1.1"
    socket.client_addr = None
    socket.server = SimpleNamespace(log_action=lambda *about: told.append(about[-1]))
    socket.onOpen()
    assert (socket.request.headers, socket.http_request_data) == ({}, b"")
    # What it was opened for is still told, now and at its end.
    assert told[0]["path"] == "/ws/rooms/1/"
