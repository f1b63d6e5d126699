"""A connection at rest is read past the loop, which hears of it only when there is nothing to read, or at the end."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientResponse, StreamReader
from aiohttp.base_protocol import BaseProtocol

from streaming.providers.alarm_clock import AlarmClock
from streaming.providers.batches import PausedBatches

REST_SECONDS = 0.04


class Transport:
    def __init__(self, ours: socket.socket, *, is_secure: bool) -> None:
        self.extras = {"socket": ours, "sslcontext": object() if is_secure else None}
        self.did: list[str] = []
        self.resumed = asyncio.Event()

    def get_extra_info(self, name: str) -> Any:
        return self.extras[name]

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.did.append("pause")

    def resume_reading(self) -> None:
        self.did.append("resume")
        self.resumed.set()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        return server.accept()[0], theirs


class Connection:
    """A body whose last byte is `!`, on a socket of which the test holds the other end; `~` is no part of it."""

    def __init__(self, *, is_secure: bool = False) -> None:
        ours, self.theirs = tcp_pair()
        ours.settimeout(0)
        self.ours = ours
        loop = asyncio.get_running_loop()
        self.transport = Transport(ours, is_secure=is_secure)
        parser = BaseProtocol(loop)
        parser.connection_made(cast(asyncio.BaseTransport, self.transport))
        self.content = StreamReader(parser, limit=2**16, loop=loop)
        self.protocol = self
        self.batches = PausedBatches(
            cast(ClientResponse, SimpleNamespace(content=self.content, connection=self)), AlarmClock(loop)
        )

    def data_received(self, data: bytes) -> None:
        self.content.feed_data(data.replace(b"~", b""))
        if data.endswith(b"!"):
            self.content.feed_eof()


@pytest.fixture
async def connection(request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    """Plain, unless a test asks for a secure one."""
    made = Connection(is_secure=getattr(request, "param", False))
    yield made
    made.ours.close()
    made.theirs.close()


async def test_what_gathered_is_taken_without_the_loop_being_told(connection: Connection) -> None:
    for words in (b"one", b"two"):
        connection.theirs.sendall(words)
        assert await connection.batches.read(rest_seconds=REST_SECONDS) == words
    assert connection.transport.did == ["pause", "pause"]


async def test_when_nothing_gathered_the_loop_waits_for_it(connection: Connection) -> None:
    reading = asyncio.create_task(connection.batches.read(rest_seconds=REST_SECONDS))
    await connection.transport.resumed.wait()
    connection.data_received(b"late")
    assert await reading == b"late"


async def test_when_only_framing_gathered_the_loop_waits_for_what_it_frames(connection: Connection) -> None:
    connection.theirs.sendall(b"~")
    reading = asyncio.create_task(connection.batches.read(rest_seconds=REST_SECONDS))
    await connection.transport.resumed.wait()
    connection.data_received(b"late")
    assert await reading == b"late"


async def test_at_the_end_the_connection_is_given_back_reading(connection: Connection) -> None:
    connection.theirs.sendall(b"the end!")
    assert await connection.batches.read(rest_seconds=REST_SECONDS) == b"the end!"
    assert connection.transport.did[-1] == "resume"
    assert await connection.batches.read() == b""


async def test_a_read_without_a_rest_reads_at_once(connection: Connection) -> None:
    connection.theirs.sendall(b"one")
    await connection.batches.read(rest_seconds=REST_SECONDS)
    reading = asyncio.create_task(connection.batches.read())
    await asyncio.sleep(0)
    assert connection.transport.did == ["pause", "resume"]
    connection.data_received(b"two")
    assert await reading == b"two"


async def test_when_the_peer_has_hung_up_the_transport_finds_out(connection: Connection) -> None:
    connection.theirs.close()
    reading = asyncio.create_task(connection.batches.read(rest_seconds=REST_SECONDS))
    await connection.transport.resumed.wait()
    connection.content.set_exception(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        await reading


@pytest.mark.parametrize("connection", [True], indirect=True)
async def test_what_is_secret_only_the_transport_reads(connection: Connection) -> None:
    connection.theirs.sendall(b"sealed")
    reading = asyncio.create_task(connection.batches.read(rest_seconds=REST_SECONDS))
    await connection.transport.resumed.wait()
    assert not reading.done()
    connection.data_received(b"opened")
    assert await reading == b"opened"
    assert connection.batches.age_seconds is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux dates what comes")
async def test_what_gathered_is_as_old_as_its_rest_was_long(connection: Connection) -> None:
    age, rounds = None, 0
    # The kernel begins to date things a moment after it was asked to.
    while age is None and (rounds := rounds + 1) < 50:
        connection.theirs.sendall(b"one")
        assert await connection.batches.read(rest_seconds=REST_SECONDS) == b"one"
        age = connection.batches.age_seconds
    assert age is not None
    assert age > REST_SECONDS * 0.9


async def test_what_comes_when_it_is_waited_for_has_just_come(connection: Connection) -> None:
    reading = asyncio.create_task(connection.batches.read(rest_seconds=REST_SECONDS))
    await connection.transport.resumed.wait()
    connection.data_received(b"late")
    assert await reading == b"late"
    assert connection.batches.age_seconds == 0.0


async def test_the_sockets_owner_keeps_it(connection: Connection) -> None:
    connection.theirs.sendall(b"one")
    await connection.batches.read(rest_seconds=REST_SECONDS)
    del connection.batches
    gc.collect()
    connection.theirs.sendall(b"two")
    assert connection.ours.recv(3) == b"two"
