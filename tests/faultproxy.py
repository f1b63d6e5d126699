"""A TCP proxy between two real programs, as bad as a test wants the network to be, from one moment to the next.

Runs on a loop in a thread of its own, so that blocking and async tests drive it alike: each call returns when it acts.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from tests.weather import Weather

CHUNK_BYTES = 16_384
ACT_SECONDS = 10.0
LINGER_NOT = struct.pack("ii", 1, 0)
T = TypeVar("T")


class Link:
    """One client's connection, and the proxy's own to the server."""

    def __init__(self, weather: Weather, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._weather = weather
        self._client = client
        self._server = server
        self._answered = 0
        self._is_frozen = False
        self._pumps: list[asyncio.Task[None]] = []

    async def live(self, client: asyncio.StreamReader, server: asyncio.StreamReader) -> None:
        """Until both ends have finished, or a fault has ended it."""
        self._pumps = [asyncio.create_task(self._ask(client)), asyncio.create_task(self._answer(server))]
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._client.close()
        self._server.close()

    def reset(self) -> None:
        """RST to both ends: nothing that was on its way arrives."""
        for writer in (self._client, self._server):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            writer.transport.abort()
        self.finish()

    def freeze(self) -> None:
        """Nothing moves on it ever again, and neither end is told."""
        self._is_frozen = True

    def lose_server(self) -> None:
        """The server's end is gone; the client's stays open and silent."""
        self.freeze()
        self._server.transport.abort()

    def finish(self) -> None:
        """FIN to both ends, as when a program ends in good order."""
        for pump in self._pumps:
            pump.cancel()

    async def _ask(self, reader: asyncio.StreamReader) -> None:
        """Client to server. A denied word is not passed on: it ends the connection."""
        while data := await _read(reader):
            if any(word in data for word in self._weather.denied):
                return self.reset()
            await self._pass(self._server, data)
        return await self._end(self._server)

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        """Server to client, as far as the weather lets it."""
        while data := await _read(reader):
            while data:
                count = self._weather.portion(self._answered, len(data))
                if count == 0 and self._weather.cuts:
                    return self.reset()
                if count == 0:
                    await self._weather.changed.wait()
                    continue
                await self._pass(self._client, data[:count])
                self._answered, data = self._answered + count, data[count:]
        return await self._end(self._client)

    async def _pass(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        await asyncio.sleep(self._weather.seconds_for(len(data)))
        await self._until_it_moves()
        # When that end has gone, the other pump hears of it by itself.
        with suppress(OSError):
            writer.write(data)
            await writer.drain()

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        await self._until_it_moves()
        with suppress(OSError):
            writer.write_eof()

    async def _until_it_moves(self) -> None:
        while self._weather.is_stalled:
            await self._weather.changed.wait()
        if self._is_frozen:
            await asyncio.Event().wait()


def _each(act: Callable[[Link], None], links: Iterable[Link]) -> None:
    for link in tuple(links):
        act(link)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Empty at the end, however it came."""
    with suppress(OSError):
        return await reader.read(CHUNK_BYTES)
    return b""


class FaultProxy:
    """Listens on `port` and passes everything to `target_port`, until told otherwise. Both are on loopback."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self._accepted = 0
        self._is_over = False
        self._links: set[Link] = set()
        self._listener: asyncio.Server | None = None
        self._weather = Weather()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faultproxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()
        self.accept()

    def stop(self) -> None:
        self.refuse()
        self._act(self._ended)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ACT_SECONDS)
        self._loop.close()

    # What a test does

    def flow(self) -> None:
        """The network is good again: nothing is stalled, held, cut, denied or slowed."""
        self._change(is_stalled=False, limit=None, cuts=False, denied=(), delay_seconds=0.0, bytes_per_second=0.0)

    def stall(self) -> None:
        """Nothing moves in either direction, and nobody is told: connections stay open."""
        self._change(is_stalled=True)

    def hold_after(self, count: int) -> None:
        """On every connection the answers' bytes after the first `count` wait until `flow`."""
        self._change(limit=count, cuts=False)

    def cut_after(self, count: int) -> None:
        """Every connection is reset when `count` bytes of answers have passed."""
        self._change(limit=count, cuts=True)

    def delay(self, seconds: float) -> None:
        """Every read of up to 16 KiB is late by so much."""
        self._change(delay_seconds=seconds)

    def throttle(self, bytes_per_second: float) -> None:
        self._change(bytes_per_second=bytes_per_second)

    def deny(self, *words: bytes) -> None:
        """A connection on which the client says one of these is reset, the word unheard."""
        self._change(denied=words)

    def reset(self) -> None:
        """RST on every connection."""
        self._do(lambda: _each(Link.reset, self._links))

    def reset_in_turn(self) -> Iterator[None]:
        """RST on each connection that stands now, one a step."""
        for link in self._do(lambda: tuple(self._links)):
            self._do(link.reset)
            yield

    def freeze(self) -> None:
        """The connections that stand move nothing any more and stay open; new ones are well."""
        self._do(lambda: _each(Link.freeze, self._links))

    def lose_server(self) -> None:
        """Half-open: the server sees every connection's end, the clients see nothing; new ones are well."""
        self._do(lambda: _each(Link.lose_server, self._links))

    def finish(self) -> None:
        """FIN on every connection."""
        self._do(lambda: _each(Link.finish, self._links))

    def refuse(self) -> None:
        """Nobody listens here any more; connections that stand are left alone."""
        self._act(self._unlisten)

    def accept(self) -> None:
        """Listen again, on the same port."""
        self._act(self._listen)

    @property
    def accepted(self) -> int:
        """Connections taken so far."""
        return self._do(lambda: self._accepted)

    # On the loop

    def _change(self, **fields: object) -> None:
        def change() -> None:
            for name, value in fields.items():
                setattr(self._weather, name, value)
            self._weather.changed.set()
            self._weather.changed = asyncio.Event()

        self._do(change)

    def _do(self, action: Callable[[], T]) -> T:
        async def act() -> T:
            return action()

        return self._act(act)

    def _act(self, action: Callable[[], Awaitable[T]]) -> T:
        async def act() -> T:
            return await action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(ACT_SECONDS)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _unlisten(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            # As the target itself would: the client's connection comes to nothing.
            writer.transport.abort()
            return
        link = Link(self._weather, writer, far_writer)
        if self._is_over:
            link.reset()
            return
        self._links.add(link)
        try:
            await link.live(reader, far_reader)
        finally:
            self._links.discard(link)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The target. Raises OSError."""
        return await asyncio.open_connection("127.0.0.1", self.target_port)

    async def _ended(self) -> None:
        """Every connection's task has finished, and that of one that came at the last moment."""
        self._is_over = True
        _each(Link.reset, self._links)
        me = {asyncio.current_task()}
        while others := asyncio.all_tasks() - me:
            await asyncio.gather(*others, return_exceptions=True)
            # What was accepted has a task of its own only now; and what was reset is closed now.
            await asyncio.sleep(0)


@contextmanager
def running(target_port: int) -> Iterator[FaultProxy]:
    proxy = FaultProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
