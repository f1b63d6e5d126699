"""The floor: the same relay on raw sockets and uvloop. What Python can do, without any server, client or layer.

`python -m tests.bench.floor PORT` relays to the provider at BENCH_PROVIDER_URL. One upstream connection a socket.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from tests.bench.relay import Answer, Delta, SendMessage, ready_frame, request_body
from tests.bench.wire import CLOSE, TEXT, FrameReader, accept_key, server_frame

_UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
_delta_decoder = msgspec.json.Decoder(Delta)
_command_decoder = msgspec.json.Decoder(SendMessage)
_encode = msgspec.json.Encoder().encode


class Upstream(asyncio.Protocol):
    """A kept connection to the provider; one answer at a time, its deltas handed to the reader as they come."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        # Chunk sizes and headers are lines too: only lines with `data: ` matter.
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                self._reader.delta(_delta_decoder.decode(line[6:]))
            elif line.startswith(b"data: [DONE]"):
                self._reader.done()


class Reader(asyncio.Protocol):
    """One WebSocket."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._frames = FrameReader()
        self._handshake: bytes | None = b""
        self._upstream: Upstream | None = None
        self._answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._upstream is not None:
            self._upstream.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._handshake += data
            self._shake_hands()
            return
        for opcode, payload in self._frames.feed(data):
            if opcode == CLOSE:
                self._transport.close()
            elif opcode == TEXT and payload.startswith(b'{"type":"send_message"'):
                command = _command_decoder.decode(payload)
                self._task = asyncio.get_running_loop().create_task(self._ask(command))

    def _shake_hands(self) -> None:
        if not (self._handshake or b"").endswith(b"\r\n\r\n"):
            return
        lines = (self._handshake or b"").split(b"\r\n")
        key = next(line[18:].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:"))
        self._handshake = None
        self._transport.write(_UPGRADED + accept_key(key) + b"\r\n\r\n" + server_frame(ready_frame()))

    async def _ask(self, command: SendMessage) -> None:
        if self._upstream is None:
            loop = asyncio.get_running_loop()
            _, self._upstream = await loop.create_connection(lambda: Upstream(self), self._host, self._port)
        self._answer = Answer(command)
        body = request_body(command.text)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._upstream.transport.write(head.encode() + body)
        self._send(self._answer.begin())

    def delta(self, delta: Delta) -> None:
        if self._answer is not None and (text := delta.text):
            self._transport.write(server_frame(_encode(self._answer.chunk(text))))

    def done(self) -> None:
        if self._answer is not None:
            self._send(self._answer.finish())

    def _send(self, events: list[msgspec.Struct]) -> None:
        self._transport.write(b"".join(server_frame(_encode(event)) for event in events))


async def serve(port: int) -> None:
    provider = urlsplit(os.environ["BENCH_PROVIDER_URL"])
    server = await asyncio.get_running_loop().create_server(
        lambda: Reader(provider.hostname or "127.0.0.1", provider.port or 80), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
