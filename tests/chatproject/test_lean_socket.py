"""The short way and uvicorn's own: whatever the bytes and however they are cut, they are told apart by nobody."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Close, Frame, Opcode

from chatproject.lean_socket import HEARD_BY, UNREAD_MOST, WRITE, LeanSocket
from streaming import consumer
from tests.waiting import settled

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXTS = ("", "속삭", "a" * 125, "b" * 126, "c" * 65_535, "d" * 65_536)
BYE = Frame(Opcode.CLOSE, Close(1000, "bye").serialize())
FRAMES = st.one_of(
    st.sampled_from(TEXTS[:4]).map(lambda text: [Frame(Opcode.TEXT, text.encode())]),
    st.just([Frame(Opcode.TEXT, b"one ", fin=False), Frame(Opcode.CONT, b"two")]),
    st.just([Frame(Opcode.TEXT, b"one ", fin=False), Frame(Opcode.PING, b"?"), Frame(Opcode.CONT, b"two")]),
    st.just([Frame(Opcode.BINARY, b"\x00\xff")]), st.just([Frame(Opcode.PING, b"?")]),
    st.just([Frame(Opcode.TEXT, b"\xff\xfe")]), st.just([Frame(Opcode.CONT, b"of nothing")]), st.just([BYE]),
)


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written, self.writes, self.is_read, self.is_closed = bytearray(), 0, True, False

    def write(self, data: Any) -> None:
        self.written += data
        self.writes += 1

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})


async def connected(kind: type[WebSocketsSansIOProtocol], app: Any = echo) -> tuple[WebSocketsSansIOProtocol, Wire]:
    config = Config(app, ws=kind, ws_per_message_deflate=False, ws_ping_interval=None, log_config=None)
    config.load()
    protocol, wire = kind(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(REQUEST)
    await settled()
    wire.written.clear()
    return protocol, wire


async def told(kind: type[WebSocketsSansIOProtocol], pieces: list[bytes]) -> tuple[bytes, bool]:
    protocol, wire = await connected(kind)
    for piece in pieces:
        # More after what it closes for is uvicorn's own mistake, in both.
        with suppress(InvalidState):
            if not wire.is_closed:
                protocol.data_received(piece)
        await settled()
    found = bytes(wire.written), wire.is_closed
    protocol.connection_lost(None)
    await settled()
    return found


@given(sent=st.lists(FRAMES, max_size=5), cuts=st.lists(st.integers(1, 400), max_size=8))
def test_it_answers_as_uvicorns_own_does_however_the_bytes_are_cut(sent: list[list[Frame]], cuts: list[int]) -> None:
    data = b"".join(frame.serialize(mask=True) for frames in sent for frame in frames)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]
    assert asyncio.run(told(LeanSocket, pieces)) == asyncio.run(told(WebSocketsSansIOProtocol, pieces))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(len(text)))
async def test_a_text_of_every_kind_of_length_comes_back(text: str) -> None:
    protocol, wire = await connected(LeanSocket)
    protocol.data_received(Frame(Opcode.TEXT, text.encode()).serialize(mask=True))
    await settled()
    assert bytes(wire.written) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


async def test_an_application_that_does_not_listen_leaves_the_connection_unread() -> None:
    listens = asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        await listens.wait()
        await echo(scope, receive, lambda message: asyncio.sleep(0))

    protocol, wire = await connected(LeanSocket, busy)
    frame, unread = Frame(Opcode.TEXT, b"more").serialize(mask=True), 0
    while wire.is_read:
        protocol.data_received(frame)
        unread += 1
    assert unread == UNREAD_MOST + 1
    listens.set()
    await settled()
    assert wire.is_read


async def test_an_accepted_socket_keeps_nothing_of_its_handshake() -> None:
    protocol, _ = await connected(LeanSocket)
    assert not {"request", "response"} & vars(protocol).keys()


async def test_several_texts_are_one_write_and_none_while_the_connection_is_full() -> None:
    found: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["extensions"][WRITE])
        await echo(scope, receive, send)

    protocol, wire = await connected(LeanSocket, application)
    (write,) = found
    wire.writes = 0
    assert write(["one", "속삭"])
    expected = b"".join(Frame(Opcode.TEXT, text.encode()).serialize(mask=False) for text in ("one", "속삭"))
    assert (bytes(wire.written), wire.writes) == (expected, 1)
    protocol.pause_writing()
    assert not write(["two"])
    protocol.resume_writing()
    assert write(["two"])
    protocol.connection_lost(None)
    assert not write(["three"])
    await settled()


async def test_what_is_heard_is_not_queued_and_what_has_to_wait_is_not_called_out() -> None:
    heard, queued, goes_on = list[str](), list[str](), asyncio.Event()

    def hear(text: str) -> bool:
        heard.append(text)
        return text == "heard"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard_by = scope["extensions"][HEARD_BY]
        heard_by(hear)
        await send({"type": "websocket.accept"})
        await receive()
        await goes_on.wait()
        while (message := await receive())["type"] == "websocket.receive":
            queued.append(message["text"])
            heard_by(None)

    protocol, _ = await connected(LeanSocket, application)

    async def say(*texts: str) -> None:
        for text in texts:
            protocol.data_received(Frame(Opcode.TEXT, text.encode()).serialize(mask=True))
        await settled()

    await say("heard", "long", "heard")
    assert (heard, queued) == (["heard", "long"], []), "what came last waits behind what was not heard"
    goes_on.set()
    await settled()
    assert queued == ["long", "heard"]
    await say("heard")
    assert (heard, queued[2:]) == (["heard", "long"], ["heard"]), "nobody is called any more"
    protocol.connection_lost(None)
    await settled()


def test_the_product_knows_it_by_the_same_names() -> None:
    assert (consumer.WRITE, consumer.HEARD_BY) == (WRITE, HEARD_BY)
