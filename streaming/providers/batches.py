"""A response's body in batches: everything that had arrived when we looked. Knows bytes, not providers.

The one place that reaches through httpx to the connection beneath it (httpx_aiohttp), because httpx
hands out one HTTP chunk at a time and cannot be told to wait. Without that handle, plain httpx reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import httpx
from aiohttp import ClientResponse, StreamReader

#: Key under which our transport leaves the aiohttp response in `httpx.Response.extensions`.
HANDLE = "soksak_aiohttp_response"


class Batches(Protocol):
    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        """The next batch, empty at the end; `rest_seconds` first let it gather. Raises as httpx or aiohttp do."""
        ...

    async def drain(self) -> None:
        """Read to the end and forget it, so that the connection can be used again."""
        ...


def batches_of(response: httpx.Response) -> Batches:
    handle = response.extensions.get(HANDLE)
    if handle is None or "content-encoding" in response.headers:
        return PlainBatches(response)
    return PausedBatches(handle)


class PausedBatches:
    """Pulls: leaves the socket unread for a while, then takes all that the kernel holds in one read."""

    __slots__ = ("_content", "_handle")

    def __init__(self, handle: ClientResponse) -> None:
        self._handle = handle
        self._content: StreamReader = handle.content

    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        if rest_seconds:
            await self._rest(rest_seconds)
        if self._content.exception() is not None:
            return self._salvaged()
        return await self._content.readany()

    async def drain(self) -> None:
        while await self._content.readany():
            pass

    # Internal

    async def _rest(self, seconds: float) -> None:
        # No connection: the body has ended and its socket may already serve another stream. Hands off.
        connection = self._handle.connection
        transport = connection.transport if connection else None
        if transport is None or self._content.is_eof():
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

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


class PlainBatches:
    """What httpx gives, as it comes: compressed bodies, and a transport that is not ours."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks: AsyncIterator[bytes] = response.aiter_bytes()

    async def read(self, *, rest_seconds: float = 0.0) -> bytes:
        if rest_seconds:
            await asyncio.sleep(rest_seconds)
        return await anext(self._chunks, b"")

    async def drain(self) -> None:
        async for _ in self._chunks:
            pass
