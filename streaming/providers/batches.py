"""A response's body in batches: everything that had arrived when we looked. Knows bytes, not providers.

The one place that reaches through httpx to the connection beneath it (httpx_aiohttp), because httpx
hands out one HTTP chunk at a time and cannot be told to wait. Without that handle, plain httpx reading.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
import zlib
from collections.abc import AsyncIterator
from typing import Protocol

import httpx
from aiohttp import ClientResponse, StreamReader
from aiohttp.helpers import TimerNoop

from streaming.few import Few, slim
from streaming.providers.alarm_clock import AlarmClock

#: Key under which our transport leaves the aiohttp response in `httpx.Response.extensions`.
HANDLE = "soksak_aiohttp_response"
#: What one read takes at most, of what gathered during a rest.
READ_BYTES = 64 * 1024
#: Linux tells with what is read when the newest of it came: SO_TIMESTAMPNS, which Python has no name for.
_STAMPS = 35
_STAMP = struct.Struct("@ll")
_STAMP_BYTES = socket.CMSG_SPACE(_STAMP.size)
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
#: zlib's own word for: whichever of the two it is.
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


class Batches(Protocol):
    #: How long the newest of the last batch had been there, by the wall's clock; None: nobody knows.
    age_seconds: float | None

    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        """The next batch, empty at the end; `rest_seconds` first let it gather. Raises as httpx or aiohttp do."""
        ...

    async def drain(self) -> None:
        """Read to the end and forget it, so that the connection can be used again."""
        ...


def batches_of(response: httpx.Response, alarm_clock: AlarmClock) -> Batches:
    handle = response.extensions.get(HANDLE)
    if handle is None or _is_compressed(response):
        return PlainBatches(response)
    return PausedBatches(handle, alarm_clock)


def forget_headers(response: httpx.Response) -> None:
    """Of both sides: they have been looked at, and an answer would keep them, some KiB, for as long as it takes."""
    handle = response.extensions.get(HANDLE)
    if handle is None or not _FORGETS or _is_compressed(response):
        return
    response.headers = _NO_HEADERS
    handle._headers = handle._raw_headers = handle._request_info = None
    handle._cache.clear()


def _is_compressed(response: httpx.Response) -> bool:
    return response.headers.get("content-encoding", "").strip().lower() in _COMPRESSED


class PausedBatches:
    """Pulls: leaves the socket unread for a while, then takes all that the kernel holds in one read."""

    __slots__ = (
        "_alarm_clock", "_content", "_handle", "_is_known", "_is_resting", "_paused", "_socket", "age_seconds",
    )

    def __init__(self, handle: ClientResponse, alarm_clock: AlarmClock) -> None:
        self._handle = handle
        self._alarm_clock = alarm_clock
        self._content: StreamReader = handle.content
        self._is_known = _is_known(handle.content)
        if self._is_known:
            _slim(handle)
        #: The transport that does not read by itself.
        self._paused: asyncio.ReadTransport | None = None
        #: Its socket; None where only the transport can read.
        self._socket: _Borrowed | None = None
        self._is_resting = False
        self.age_seconds: float | None = 0.0

    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        content = self._content
        if rest_seconds:
            self.age_seconds = None
            self._rest(rest_seconds)
        else:
            self.age_seconds = 0.0
            self._resume()
        try:
            if content.exception() is not None:
                return self._salvaged()
            if not self._is_known:
                return await content.readany()
            # Waiting through the rest: a task that is woken to wake its transport would be woken twice.
            while not content._buffer and not content._eof:
                await _more(content)
            return _all_of(content)
        finally:
            self._is_resting = False

    async def drain(self) -> None:
        self._resume()
        while await self._content.readany():
            pass

    # Internal

    def _rest(self, seconds: float) -> None:
        # No connection: the body has ended and its socket may already serve another stream. Hands off.
        connection = self._handle.connection
        transport = connection.transport if connection else None
        if transport is None or self._content.is_eof():
            return
        if transport is not self._paused:
            is_plain = transport.get_extra_info("sslcontext") is None
            self._socket = _borrowed(transport.get_extra_info("socket")) if is_plain else None
            self._paused = transport
        transport.pause_reading()
        self._is_resting = True
        self._alarm_clock.wake_in(seconds, self._wake)

    def _resume(self) -> None:
        transport, self._paused = self._paused, None
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    def _wake(self) -> None:
        """When its time has come; not when nobody waits any more. An alarm that was meant for an earlier rest only
        shortens this one.
        """
        if self._is_resting:
            self._is_resting = False
            # What was drawn may have been framing alone, and whoever waits for content would wait on.
            if not self._draw() or not self._is_known or not self._content._buffer or self._content.is_eof():
                self._resume()

    def _draw(self) -> bool:
        """Read past the loop, whose poll would have to be told of every rest: away, back, and that there is data.

        False: there is nothing yet, or what only the transport can tell.
        """
        transport, connection = self._paused, self._handle.connection
        protocol = connection.protocol if connection else None
        if self._socket is None or transport is None or protocol is None or transport.is_closing():
            return False
        try:
            data, stamps, _, _ = self._socket.recvmsg(READ_BYTES, _STAMP_BYTES)
        except OSError:
            # Whatever comes now comes when the loop hears of it.
            self.age_seconds = 0.0
            return False
        if data:
            self.age_seconds = _age(stamps)
            protocol.data_received(data)
        return bool(data)

    def _salvaged(self) -> bytes:
        """What came before the connection broke: aiohttp raises at once, and would lose it."""
        error = self._content.exception()
        assert error is not None
        self._content.set_exception(None)  # type: ignore[arg-type]
        data = self._content.read_nowait(-1)
        self._content.set_exception(error)
        if not data:
            raise error
        return data


class _Borrowed(socket.socket):
    """A transport's socket, to read past it; closes nothing."""

    def __del__(self) -> None:
        self.detach()


def _borrowed(of: socket.socket) -> _Borrowed:
    borrowed = _Borrowed(of.family, of.type, of.proto, of.fileno())
    if sys.platform == "linux":
        borrowed.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
    return borrowed


def _age(stamps: list[tuple[int, int, bytes]]) -> float | None:
    for _, kind, stamp in stamps:
        if kind == _STAMPS:
            at: tuple[int, int] = _STAMP.unpack(stamp)
            return time.time() - at[0] - at[1] / 1e9
    return None


_NO_HEADERS = httpx.Headers()
_FORGETS = all(hasattr(ClientResponse, name) for name in ("_headers", "_raw_headers"))

#: What of aiohttp's reader is touched here.
_TOUCHED = ("_buffer", "_cursor", "_eof", "_http_chunk_splits", "_loop", "_protocol", "_size", "_timer", "_waiter")


def _is_known(content: StreamReader) -> bool:
    """Not so: its own slower way. An answer without a body has a reader of another kind; so may a release."""
    return all(hasattr(content, name) for name in _TOUCHED) and isinstance(content._timer, TimerNoop)


def _slim(handle: ClientResponse) -> None:
    content, connection = handle.content, handle.connection
    slim(content, "_buffer", "_http_chunk_splits")
    if content._http_chunk_splits is None:
        content._http_chunk_splits = Few()  # type: ignore[assignment]
    if connection is not None:
        slim(connection.protocol, "_buffer")


def _all_of(content: StreamReader) -> bytes:
    """As `readany`, which runs the parser once more for each chunk it takes, and waits two coroutines further down."""
    buffer = content._buffer
    data = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    buffer.clear()
    content._size = 0
    content._cursor += len(data)
    if content._http_chunk_splits:
        content._http_chunk_splits.clear()
    if content._protocol._reading_paused:
        content._protocol.resume_reading()
    return data


def _more(content: StreamReader) -> asyncio.Future[None]:
    """Done when there is more, or the end. One whom nobody waits for any more is replaced by the next."""
    if not content._protocol.connected:
        raise RuntimeError("Connection closed.")
    content._waiter = content._loop.create_future()
    return content._waiter


class PlainBatches:
    """What httpx gives, as it comes: compressed bodies, which nobody asked for, and a transport that is not ours."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks: AsyncIterator[bytes] = response.aiter_raw()
        self._inflater = zlib.decompressobj(_ZLIB_OR_GZIP) if _is_compressed(response) else None
        self.age_seconds: float | None = None

    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        if rest_seconds:
            await asyncio.sleep(rest_seconds)
        if self._inflater is None:
            return await anext(self._chunks, b"")
        return await self._inflated(self._inflater)

    async def drain(self) -> None:
        async for _ in self._chunks:
            pass

    # Internal

    async def _inflated(self, inflater: zlib._Decompress) -> bytes:
        """A piece at a time: a chunk of 16 KiB may hold 16 MiB, and whoever reads knows what is too long."""
        try:
            data = inflater.decompress(inflater.unconsumed_tail, READ_BYTES)
            while not data and not inflater.eof and (chunk := await anext(self._chunks, b"")):
                data = inflater.decompress(chunk, READ_BYTES)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        return data
