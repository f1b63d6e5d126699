"""Turns one after another, whatever door they go through: what every seat of the load client has in common.

Speaks the contract's events; knows no handshake and no framing. Measures nothing itself.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import cast

import msgspec

from tests.bench.tokens import Pace
from tests.bench.turn import ChunkFrame, Tally, Turn

#: Where a refusal does not say when to come back.
RETRY_SECONDS = 0.5
#: After an answer for which there was no room; as long as the server asks others to wait.
BUSY_SECONDS = 5.0
_CHUNK_START = b'{"type":"ai_message_chunk"'
_chunk_decoder = msgspec.json.Decoder(ChunkFrame)


class Seat(msgspec.Struct, frozen=True):
    """Where one stream sits: a socket's path and the cookie that opens it."""

    path: str
    cookie: str = ""

    @property
    def room_id(self) -> str:
        return self.path.strip("/").rpartition("/")[2]


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """`pause_seconds`: between an answer and the next message. `reports`: it tells its marks, as browsers do."""

    pace: Pace
    pause_seconds: float = 0.0
    reports: bool = False


class Conversation(asyncio.Protocol):
    """`ready` when turns may begin; `idle` when, after `is_stopping` was set, the last turn is over."""

    def __init__(self, seat: Seat, port: int, manner: Manner, tally: Tally) -> None:
        self._seat, self._port, self._manner, self._tally = seat, port, manner, tally
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.idle: asyncio.Future[None] = self._loop.create_future()
        self.is_stopping = False
        self._turn: Turn | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_stopping or not self.idle.done():
            self._tally.faults["closed"] += 1
        for waiter in (self.ready, self.idle):
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        self._transport.close()

    def next_turn(self) -> None:
        """Send the next message; or, when stopping, say that nothing runs here any more."""
        if self.is_stopping or self._transport.is_closing():
            if not self.idle.done():
                self.idle.set_result(None)
            return
        request_id = uuid.uuid4().hex
        self._turn = Turn(request_id, self._tally, self._manner.pace.tokens)
        self._say({"type": "send_message", "requestId": request_id, "text": self._manner.pace.message()})

    def _say(self, command: dict[str, object]) -> None:
        raise NotImplementedError

    # Events

    def _event(self, payload: bytes, arrived: int) -> None:
        if payload.startswith(_CHUNK_START):
            frame = _chunk_decoder.decode(payload)
            if self._turn is not None:
                self._turn.chunk(frame, arrived)
                self._seen(frame, arrived)
            return
        event = msgspec.json.decode(payload)
        handler = getattr(self, f"_on_{event['type']}", None)
        if handler is not None:
            handler(event, arrived)

    def _seen(self, frame: ChunkFrame, arrived: int) -> None:
        """A socket acknowledges."""

    def _on_ai_message_start(self, event: dict[str, object], arrived: int) -> None:
        if self._turn is not None:
            self._turn.mark("start")

    def _on_ai_message_waiting(self, event: dict[str, object], arrived: int) -> None:
        if self._turn is not None:
            self._turn.waits(arrived)

    def _on_ai_message_end(self, event: dict[str, object], arrived: int) -> None:
        if self._turn is not None and event["requestId"] == self._turn.request_id:
            self._turn.end(event, arrived)
            self._go_on()

    def _on_ack(self, event: dict[str, object], arrived: int) -> None:
        if self._turn is None or event["requestId"] != self._turn.request_id:
            return
        if event["stage"] == "done":
            self._turn.is_done = True
            self._go_on()
        else:
            self._turn.mark("accepted")

    def _on_ai_message_error(self, event: dict[str, object], arrived: int) -> None:
        if event["code"] == "provider_busy":
            self._refused(arrived, BUSY_SECONDS, was_accepted=True)
        else:
            self._failed(f"failed {event['code']}", RETRY_SECONDS)

    def _on_error(self, event: dict[str, object], arrived: int) -> None:
        pause = cast(int, event.get("retryAfterMs", RETRY_SECONDS * 1000)) / 1000
        if event["code"] == "overloaded":
            self._refused(arrived, pause, was_accepted=False)
        else:
            self._failed(f"error {event['code']}", pause)

    def _refused(self, arrived: int, pause_seconds: float, *, was_accepted: bool) -> None:
        """For want of room: that is no fault, it is what a full house says."""
        if self._turn is not None:
            self._turn.refused(arrived, was_accepted=was_accepted)
        self._turn = None
        self._loop.call_later(pause_seconds, self.next_turn)

    def _on_ai_message_snapshot(self, event: dict[str, object], arrived: int) -> None:
        self._tally.faults["snapshot"] += 1

    def _on_ai_message_rewind(self, event: dict[str, object], arrived: int) -> None:
        self._tally.faults["rewind"] += 1

    def _failed(self, fault: str, pause_seconds: float) -> None:
        self._tally.faults[fault] += 1
        self._turn = None
        self._loop.call_later(pause_seconds, self.next_turn)

    def _go_on(self) -> None:
        if self._turn is not None and self._turn.is_ended and self._turn.is_done:
            if self._manner.reports:
                self._say({"type": "timing", "requestId": self._turn.request_id, "marks": self._turn.marks})
            self._loop.call_later(self._manner.pause_seconds, self.next_turn)
