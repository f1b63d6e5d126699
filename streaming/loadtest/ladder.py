"""Brings one send to its end, as the browser does: socket → server-sent events → completed response, one requestId.

Where the way asked first is another one, the ladder begins there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from streaming.events import End, Event, Failure, checksum, decode
from streaming.loadtest.plan import Way
from streaming.loadtest.sends import PASSING, Send
from streaming.loadtest.site import UNREACHABLE, SiteRefused, Visitor
from streaming.loadtest.tab import Tab
from streaming.transcript import Change, Transcript

#: frontend_static/js/ladder.js, sse_transport.js, api.js.
ACK_SECONDS = 5.0
SILENCE_SECONDS = 30.0
ANSWER_SECONDS = 180.0
#: A turn that another answer holds up.
TRIES = 10


class Ladder:
    def __init__(self, visitor: Visitor, room_id: UUID, tab: Tab | None) -> None:
        self._visitor = visitor
        self._room_id = room_id
        self._tab = tab

    async def carry(self, send: Send, way: Way) -> None:
        """Returns when the send is over, one way or another."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for _ in range(TRIES):
                    await self._try(send, way)
                    if send.outcome != "refused" or send.code not in PASSING:
                        return
                    await asyncio.sleep(send.retry_after_seconds)
                    send.try_again()
                send.refuse("generation_running")
        except TimeoutError:
            send.fail("unreachable")

    # The rungs

    async def _try(self, send: Send, way: Way) -> None:
        if way == "socket" and self._tab is not None and self._tab.path == "stream":
            await self._by_socket(send, self._tab)
        elif way == "sse":
            await self._by_stream(send, is_first=True)
        else:
            await self._by_post(send)

    async def _by_socket(self, send: Send, tab: Tab) -> None:
        send.path = "stream"
        send.mark("sent")
        await tab.send_turn({"type": "send_message", "requestId": send.request_id, "text": send.text})
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await send.answered.wait()
        except TimeoutError:
            send.mark("ack_timeout")
            tab.let_go()
            await self._by_stream(send, is_first=False)
            return
        tab.let_go()
        await send.over.wait()

    async def _by_stream(self, send: Send, *, is_first: bool) -> None:
        send.path = "sse"
        send.mark("sent" if is_first else "fell_sse")
        transcript = Transcript()
        try:
            async with self._visitor.stream("/chat/messages/stream", self._body(send)) as body:
                async for event in _events(body, send):
                    send.hear(event, transcript.apply(event))
                    if send.over.is_set():
                        return
        except SiteRefused as refused:
            _refuse(send, refused)
        except UNREACHABLE:
            if is_first and not send.answered.is_set():
                send.mark("ack_timeout")
        if not send.over.is_set():
            await self._by_post(send)

    async def _by_post(self, send: Send) -> None:
        is_first = "sent" not in send.marks
        if not send.answered.is_set():
            # Nothing was seen on another way: nothing will be before the whole.
            send.path = "completed" if is_first and self._is_switched_off() else "fallback"
        send.mark("sent" if is_first else "fell_completed")
        try:
            answer = await self._visitor.post("/chat/messages", self._body(send), seconds=ANSWER_SECONDS)
        except SiteRefused as refused:
            _refuse(send, refused)
        except UNREACHABLE:
            await self._when_reachable(send)
        else:
            _whole(send, answer)

    async def _when_reachable(self, send: Send) -> None:
        """What nobody took goes out again once there is a socket."""
        if self._tab is None or self._tab.path != "stream":
            send.refuse("unreachable")
            return
        await self._tab.ready.wait()
        await self._by_socket(send, self._tab)

    def _is_switched_off(self) -> bool:
        return self._tab is not None and self._tab.path != "stream"

    def _body(self, send: Send) -> dict[str, Any]:
        return {"requestId": send.request_id, "roomId": str(self._room_id), "text": send.text}


def _refuse(send: Send, refused: SiteRefused) -> None:
    if not send.answered.is_set():
        send.refuse(refused.code, refused.retry_after_seconds)


def _whole(send: Send, answer: dict[str, Any]) -> None:
    """A completed response, verified as an end that one saw nothing before."""
    event = decode(msgspec.json.encode(answer.get("result", {})))
    changes: list[Change] = []
    if isinstance(event, End) and (len(event.content), checksum(event.content)) != (event.length, event.checksum):
        changes.append(Change("mismatch", event.message_id))
    if isinstance(event, End | Failure):
        send.hear(event, changes)


async def _events(body: aiohttp.StreamReader, send: Send) -> AsyncIterator[Event]:
    """Raises TimeoutError for silence: a short one while nothing was accepted."""
    while True:
        async with asyncio.timeout(SILENCE_SECONDS if send.answered.is_set() else ACK_SECONDS):
            line = await body.readline()
        if not line:
            return
        if line.startswith(b"data: "):
            yield decode(line[6:])
