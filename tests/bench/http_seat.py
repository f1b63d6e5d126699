"""One seat without a socket, on one kept connection: the answer as server-sent events, or complete."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from tests.bench.conversation import Conversation, Manner, Seat
from tests.bench.http_wire import ResponseReader
from tests.bench.tokens import now_micros
from tests.bench.turn import Tally

#: Cookie and header alike, as every script on the page would send it.
CSRF = "b" * 32
SECONDS_BEFORE_AGAIN = 0.2


class HttpSeat(Conversation):
    """`address` takes the turn; what comes back is handed to `_body` and, at its end, to `_over`."""

    address = ""
    #: What an answer's own error said; the next turn waits for the end of the body that told it.
    _why = ""

    def __init__(self, seat: Seat, port: int, manner: Manner, tally: Tally) -> None:
        super().__init__(seat, port, manner, tally)
        self._reader = ResponseReader(self._body, self._ended)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.ready.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._arrived = now_micros()
        self._reader.feed(data)

    def _say(self, command: dict[str, object]) -> None:
        address = "/chat/timings" if command["type"] == "timing" else self.address
        body = msgspec.json.encode({**command, "roomId": self._seat.room_id})
        self._transport.write(
            f"POST {address} HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}\r\n"
            f"Cookie: {self._seat.cookie}; csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )

    def _body(self, piece: bytes) -> None:
        raise NotImplementedError

    def _ended(self, status: int) -> None:
        if status == 204:
            # Its report was taken.
            self._loop.call_later(self._manner.pause_seconds, self.next_turn)
        elif status != 200:
            self._failed(f"HTTP {status}", SECONDS_BEFORE_AGAIN)
        else:
            self._over()

    def _over(self) -> None:
        """The whole body of an answer is there."""
        turn = self._turn
        if turn is None or not turn.is_ended:
            self._failed(self._why or "unfinished body", SECONDS_BEFORE_AGAIN)
            return
        if self._manner.reports:
            self._say({"type": "timing", "requestId": turn.request_id, "marks": turn.marks})
        else:
            self._loop.call_later(self._manner.pause_seconds, self.next_turn)

    def _on_ai_message_error(self, event: dict[str, object], arrived: int) -> None:
        self._why = f"failed {event['code']}"

    def _failed(self, fault: str, pause_seconds: float) -> None:
        self._why = ""
        super()._failed(fault, pause_seconds)

    def _go_on(self) -> None:
        """Not before the body is over, which is seen there."""


class SseSeat(HttpSeat):
    address = "/chat/messages/stream"
    _rest = b""

    def _body(self, piece: bytes) -> None:
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        for event in events:
            for line in event.split(b"\n"):
                if line.startswith(b"data: "):
                    self._event(line[6:], self._arrived)

    def _on_ai_message_snapshot(self, event: dict[str, Any], arrived: int) -> None:
        """How an answer begins here: with what had been written when it was first read, if anything."""
        if self._turn is not None:
            self._turn.snapshot(event["seq"], event["text"], arrived)


class CompletedSeat(HttpSeat):
    address = "/chat/messages"
    _whole = b""

    def _body(self, piece: bytes) -> None:
        self._whole += piece

    def _over(self) -> None:
        result = msgspec.json.decode(self._whole)["result"]
        self._whole = b""
        if self._turn is not None and result["type"] == "ai_message_end":
            self._turn.whole(result["content"])
            self._turn.end(result, self._arrived)
        super()._over()

    def _failed(self, fault: str, pause_seconds: float) -> None:
        self._whole = b""
        super()._failed(fault, pause_seconds)
