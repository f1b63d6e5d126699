"""A model server that writes stamped units at an exact pace: OpenAI-compatible SSE over raw sockets.

`python -m tests.bench.provider` prints its port and serves until its stdin closes. `GET /stats` answers how far
behind its own schedule it was since the last time it was asked, so a bench can tell when *it* was the bottleneck.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from tests.bench.measure import percentile
from tests.bench.tokens import UNIT_CHARS, Pace, now_micros, unit

_EVENT = (
    'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
    '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}\n\n'
)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
)


def _chunk(body: str) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body.encode())


_ROLE = _chunk(_EVENT % ('{"role":"assistant","content":""}', "null"))
_BEFORE, _AFTER = (_EVENT % ('{"content":"%s"}' % ("#" * UNIT_CHARS), "null")).split("#" * UNIT_CHARS)
_TOKEN_SIZE = b"%x\r\n" % (len(_BEFORE) + UNIT_CHARS + len(_AFTER))
_TOKEN = _TOKEN_SIZE + _BEFORE.encode() + b"%b" + _AFTER.encode() + b"\r\n"


def _tail(tokens: int) -> bytes:
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
    last = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    return (
        _chunk(_EVENT % ("{}", '"stop"'))
        + _chunk(f"data: {json.dumps({**last, 'choices': [], 'usage': usage})}\n\n")
        + _chunk("data: [DONE]\n\n")
        + b"0\r\n\r\n"
    )


class Stats:
    """What happened since the last look: tokens sent and how late each was, microseconds."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.tokens = 0
        self._late: list[int] = []

    def sent(self, late_micros: int) -> None:
        self.tokens += 1
        self._late.append(late_micros)

    def take(self) -> bytes:
        late = sorted(self._late)
        self._late.clear()
        report = {
            "inFlight": self.in_flight,
            "tokens": self.tokens,
            "lateP99Ms": round(percentile(late, 99) / 1000, 2),
            "cpuSeconds": round(time.process_time(), 3),
        }
        return json.dumps(report).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection; one answer at a time on it, as HTTP/1.1 has it."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._finish()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._take_request()) is not None:
            self._answer(*request)

    def _take_request(self) -> tuple[bytes, bytes] | None:
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = self._buffer[:head_end]
        end = head_end + 4 + _content_length(head)
        if len(self._buffer) < end:
            return None
        body, self._buffer = self._buffer[head_end + 4 : end], self._buffer[end:]
        return head, body

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST") and self._timer is None:
            self._start(Pace.find(body), received=now_micros())
        elif head.startswith(b"GET /stats"):
            self._reply(b"200 OK", self._stats.take())
        else:
            self._reply(b"404 Not Found", b"{}")

    def _reply(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(body)) + body)

    def _start(self, pace: Pace, *, received: int) -> None:
        self._stats.in_flight += 1
        self._pace, self._received, self._index = pace, received, 1
        self._first_due = time.monotonic() + pace.delay_ms / 1000
        self._transport.write(_HEAD)
        self._timer = self._loop.call_later(pace.delay_ms / 1000, self._first)

    def _first(self) -> None:
        received = unit(0, self._received)
        self._write(_ROLE + _chunk(_BEFORE + received + unit(1, now_micros()) + _AFTER))

    def _next(self) -> None:
        self._write(_TOKEN % unit(self._index, now_micros()).encode())

    def _write(self, token: bytes) -> None:
        due = self._first_due + (self._index - 1) / self._pace.rate
        now = time.monotonic()
        self._stats.sent(int((now - due) * 1_000_000))
        if self._index == self._pace.tokens:
            self._transport.write(token + _tail(self._pace.tokens))
            self._finish()
            return
        self._transport.write(token)
        self._index += 1
        self._timer = self._loop.call_later(due + 1 / self._pace.rate - now, self._next)

    def _finish(self) -> None:
        self._timer = None
        self._stats.in_flight -= 1


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve() -> None:
    stats, loop = Stats(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stats), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The parent holds the other end of stdin: when it goes, however it goes, so do we.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
