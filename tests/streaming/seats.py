"""A tab in a room, without a browser: commands out, typed events in, credit returned as the contract asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from channels.testing import WebsocketCommunicator

from chatproject.asgi import application
from streaming.events import Ack, Chunk, CommandError, End, Event, Failure, Ready, Snapshot, Start, decode
from tests.people import request_id

T = TypeVar("T")

#: Long enough for a loaded machine; no test waits for it to pass.
PATIENCE_SECONDS = 15.0


class Tab:
    """`events` is everything received so far, in order."""

    def __init__(self, room_id: UUID, session_key: str, *, acknowledges: bool = True) -> None:
        headers = [
            (b"origin", b"http://localhost"), (b"host", b"localhost"),
            (b"cookie", f"sessionid={session_key}".encode()),
        ]
        self.socket = WebsocketCommunicator(application, f"/ws/rooms/{room_id}/", headers=headers)
        self.events: list[Event] = []
        self._acknowledges = acknowledges

    async def open(self) -> Ready:
        connected, _ = await self.socket.connect(timeout=PATIENCE_SECONDS)
        assert connected
        ready = await self.next()
        assert isinstance(ready, Ready)
        return ready

    async def close(self) -> None:
        await self.socket.disconnect(timeout=PATIENCE_SECONDS)

    async def say(self, type_: str, **fields: Any) -> None:
        await self.socket.send_to(text_data=json.dumps({"type": type_, **fields}, default=str))

    async def send(self, text: str = "hi", rid: str | None = None) -> str:
        rid = rid or request_id()
        await self.say("send_message", requestId=rid, text=text)
        return rid

    async def next(self) -> Event:
        try:
            event = decode(await self.socket.receive_from(timeout=PATIENCE_SECONDS))
        except TimeoutError:
            raise AssertionError(f"nothing more came after {self.events}") from None
        self.events.append(event)
        if self._acknowledges and isinstance(event, Chunk | Snapshot):
            await self.say("received", messageId=event.message_id, seq=event.seq)
        return event

    async def until(self, kind: type[T], check: Callable[[T], bool] = lambda _: True) -> T:
        """The next event of this kind that satisfies `check`."""
        while True:
            event = await self.next()
            if isinstance(event, kind) and check(event):
                return event

    async def answer(self) -> End:
        """One answer, read to its end."""
        return await self.until(End)

    async def refusal(self) -> CommandError:
        return await self.until(CommandError)

    async def closed_with(self) -> int:
        """Read until the server closes; the code."""
        while True:
            output = await self.socket.receive_output(timeout=PATIENCE_SECONDS)
            if output["type"] == "websocket.close":
                return int(output.get("code", 1000))

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def text(self) -> str:
        """What a reader that only appends would show."""
        return "".join(event.chunk for event in self.of(Chunk))

    def acks(self) -> list[str]:
        return [event.stage for event in self.of(Ack)]


__all__ = ["Ack", "Chunk", "CommandError", "End", "Failure", "Ready", "Snapshot", "Start", "Tab"]
