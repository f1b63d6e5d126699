"""One seat at a socket: the handshake and the frames, as a browser has them, `received` included."""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec

from tests.bench.conversation import Conversation, Manner, Seat
from tests.bench.tokens import now_micros
from tests.bench.turn import ChunkFrame, Tally
from tests.bench.wire import CLOSE, PING, PONG, TEXT, FrameReader, client_frame, new_key


class Socket(Conversation):
    def __init__(self, seat: Seat, port: int, manner: Manner, tally: Tally) -> None:
        super().__init__(seat, port, manner, tally)
        self._reader = FrameReader()
        self._handshake: bytes | None = b""
        self._window = 0
        self._next_received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cookie = f"Cookie: {self._seat.cookie}\r\n" if self._seat.cookie else ""
        self._transport.write(
            f"GET {self._seat.path} HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}\r\n{cookie}"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {new_key().decode()}\r\n\r\n".encode()
        )

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

    def next_turn(self) -> None:
        self._next_received = self._window // 3
        super().next_turn()

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

    def _on_ready(self, event: dict[str, object], arrived: int) -> None:
        self._window = cast(int, event["window"])
        if event["path"] != "stream":
            self._tally.faults[f"path {event['path']}"] += 1
        self._say({"type": "resume", "known": []})
        self.ready.set_result(None)

    def _seen(self, frame: ChunkFrame, arrived: int) -> None:
        if self._window and frame.seq >= self._next_received:
            self._say({"type": "received", "messageId": frame.message_id, "seq": frame.seq})
            self._next_received = frame.seq + self._window // 3

    def _say(self, command: dict[str, object]) -> None:
        self._transport.write(client_frame(msgspec.json.encode(command)))
