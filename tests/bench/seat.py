"""One seat of the load client: the handshake, the frames, and the next turn as soon as the last is over.

Speaks the contract as a browser does, `received` included; measures nothing itself.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import cast

import msgspec

from tests.bench.tokens import Pace, now_micros
from tests.bench.turn import ChunkFrame, Tally, Turn
from tests.bench.wire import CLOSE, PING, PONG, TEXT, FrameReader, client_frame, new_key

RECEIVED_MICROS = 500_000
RETRY_SECONDS = 0.5
_CHUNK_START = b'{"type":"ai_message_chunk"'
_chunk_decoder = msgspec.json.Decoder(ChunkFrame)


class Seat(msgspec.Struct, frozen=True):
    """Where one stream sits: a socket's path and the cookie that opens it."""

    path: str
    cookie: str = ""


class Socket(asyncio.Protocol):
    """`ready` when turns may begin; `idle` when, after `is_stopping` was set, the last turn is over."""

    def __init__(self, seat: Seat, port: int, pace: Pace, tally: Tally, *, pause_seconds: float) -> None:
        self._seat, self._port, self._pace, self._tally = seat, port, pace, tally
        self._pause_seconds = pause_seconds
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._handshake: bytes | None = b""
        self._window = 0
        self._next_received = self._received_at = 0
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.idle: asyncio.Future[None] = self._loop.create_future()
        self.is_stopping = False
        self._turn: Turn | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        host = f"127.0.0.1:{self._port}"
        cookie = f"Cookie: {self._seat.cookie}\r\n" if self._seat.cookie else ""
        self._transport.write(
            f"GET {self._seat.path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{cookie}"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {new_key().decode()}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_stopping or not self.idle.done():
            self._tally.faults["closed"] += 1
        for waiter in (self.ready, self.idle):
            if not waiter.done():
                waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        arrived = now_micros()
        if self._handshake is not None:
            data = self._finish_handshake(data)
        for opcode, payload in self._reader.feed(data):
            if opcode == TEXT:
                self._event(payload, arrived)
            elif opcode == PING:
                self._transport.write(client_frame(payload, PONG))
            elif opcode == CLOSE:
                self._tally.faults[f"close {int.from_bytes(payload[:2], 'big')}"] += 1
                self._transport.close()

    def _finish_handshake(self, data: bytes) -> bytes:
        head, separator, rest = ((self._handshake or b"") + data).partition(b"\r\n\r\n")
        if not separator:
            self._handshake = head
            return b""
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self._tally.faults[head.split(b"\r\n", 1)[0].decode("latin-1")] += 1
            self._transport.close()
        self._handshake = None
        return rest

    def _event(self, payload: bytes, arrived: int) -> None:
        if payload.startswith(_CHUNK_START):
            frame = _chunk_decoder.decode(payload)
            if self._turn is not None:
                self._turn.chunk(frame, arrived)
                self._acknowledge(frame, arrived)
            return
        event = msgspec.json.decode(payload)
        handler = getattr(self, f"_on_{event['type']}", None)
        if handler is not None:
            handler(event)

    def _acknowledge(self, frame: ChunkFrame, arrived: int) -> None:
        is_due = frame.seq >= self._next_received or arrived >= self._received_at + RECEIVED_MICROS
        if self._window and is_due:
            self._command({"type": "received", "messageId": frame.message_id, "seq": frame.seq})
            self._next_received, self._received_at = frame.seq + self._window // 4, arrived

    def _on_ready(self, event: dict[str, object]) -> None:
        self._window = cast(int, event["window"])
        if event["path"] != "stream":
            self._tally.faults[f"path {event['path']}"] += 1
        self._command({"type": "resume", "known": []})
        self.ready.set_result(None)

    def _on_ai_message_end(self, event: dict[str, object]) -> None:
        if self._turn is not None and event["requestId"] == self._turn.request_id:
            self._turn.end(event)
            self._go_on()

    def _on_ack(self, event: dict[str, object]) -> None:
        if self._turn is not None and event["stage"] == "done":
            self._turn.is_done = True
            self._go_on()

    def _on_ai_message_error(self, event: dict[str, object]) -> None:
        self._failed(f"failed {event['code']}")

    def _on_error(self, event: dict[str, object]) -> None:
        self._failed(f"error {event['code']}")

    def _on_ai_message_snapshot(self, event: dict[str, object]) -> None:
        self._tally.faults["snapshot"] += 1

    def _on_ai_message_rewind(self, event: dict[str, object]) -> None:
        self._tally.faults["rewind"] += 1

    def _failed(self, fault: str) -> None:
        self._tally.faults[fault] += 1
        self._turn = None
        self._loop.call_later(RETRY_SECONDS, self.next_turn)

    def _go_on(self) -> None:
        if self._turn is not None and self._turn.is_ended and self._turn.is_done:
            self._loop.call_later(self._pause_seconds, self.next_turn)

    def next_turn(self) -> None:
        """Send the next message; or, when stopping, say that nothing runs here any more."""
        if self.is_stopping or self._transport.is_closing():
            if not self.idle.done():
                self.idle.set_result(None)
            return
        request_id = uuid.uuid4().hex
        self._next_received, self._received_at = self._window // 4, now_micros()
        self._turn = Turn(request_id, self._tally, self._pace.tokens)
        self._command({"type": "send_message", "requestId": request_id, "text": self._pace.message()})

    def _command(self, command: dict[str, object]) -> None:
        self._transport.write(client_frame(msgspec.json.encode(command)))

    def close(self) -> None:
        self._transport.close()
