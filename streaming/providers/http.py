"""The one HTTP client of a process: httpx over aiohttp's transport. Knows connections, not providers.

httpx's own read path is half of a relay's CPU and its pool is quadratic; a client per message costs
tens of milliseconds. So: one client, one TLS context, no limit on connections, long keep-alive.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

import aiohttp
import httpx
from httpx_aiohttp.transport import AiohttpTransport

from streaming.providers.alarm_clock import AlarmClock
from streaming.providers.batches import HANDLE, Batches
from streaming.providers.pace import TICK_SECONDS

#: A user thinks and types for longer than the usual 5 s; a new TLS handshake would be theirs to wait for.
KEEPALIVE_SECONDS = 150.0
CONNECT_SECONDS = 5.0
#: A connection that was used so lately is taken to be there still: servers keep theirs for less time than we do.
FRESH_SECONDS = 30.0
#: After an answer's end, how long its connection may take to finish the body and be kept.
LINGER_SECONDS = 2.0


class HttpClient:
    """`start` binds it to the running loop; `aclose` mirrors it. Streams are opened with `post`."""

    _transport: _Transport
    #: Of all its streams.
    alarm_clock: AlarmClock

    def __init__(
        self, *, tick_seconds: float = TICK_SECONDS, connect_seconds: float = CONNECT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tick_seconds = tick_seconds
        self._clock = clock
        #: host → when each of its connections that nobody uses was used last, the latest at the end.
        self._free: dict[str, list[float]] = {}
        self._touching: set[str] = set()
        self._timeout = httpx.Timeout(None, connect=connect_seconds)
        self._extensions = {"timeout": self._timeout.as_dict()}
        self._client: httpx.AsyncClient | None = None
        self._lingering: dict[asyncio.Task[None], httpx.Response] = {}

    def start(self) -> httpx.AsyncClient:
        """Loads the CA bundle (tens of milliseconds): call it before the first message needs it."""
        if self._client is None:
            self._transport = _Transport()
            self.alarm_clock = AlarmClock(asyncio.get_running_loop())
            self._client = httpx.AsyncClient(transport=self._transport, timeout=self._timeout, trust_env=False)
        return self._client

    async def aclose(self) -> None:
        client, self._client = self._client, None
        self._free.clear()
        lingering = dict(self._lingering)
        for task in lingering:
            task.cancel()
        await asyncio.gather(*lingering, return_exceptions=True)
        for response in lingering.values():
            # A task that had not begun has closed nothing.
            await response.aclose()
        if client is not None:
            await client.aclose()

    async def post(self, url: str, *, headers: Mapping[str, str], content: bytes) -> httpx.Response:
        """The response with its body unread: give it to `let_go` or `aclose` it. Raises as httpx does."""
        self.start()
        # Past the client, whose redirects, cookies and sign-ins no provider is to have: it costs a third of a request.
        request = httpx.Request("POST", _url(url), headers=headers, content=content, extensions=self._extensions)
        if free := self._free.get(_host(request.url)):
            free.pop()
        try:
            return await self._sent(request)
        except httpx.TransportError as error:
            if not _was_hung_up(error):
                raise
        # The server had closed a kept connection just as it was used again: no fault of the route's.
        return await self._sent(request)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        # The response would keep the prompt for as long as the answer takes.
        response.request = _bare(request.url)
        return response

    async def touch(self, url: str) -> None:
        """Have a connection to the host of `url` that nobody uses. Raises as httpx does."""
        client = self._client or self.start()
        host = _host(httpx.URL(url))
        if host in self._touching or self._is_ready(host):
            return
        self._touching.add(host)
        try:
            await client.head(url, timeout=CONNECT_SECONDS)
            self._freed(host)
        finally:
            self._touching.discard(host)

    def _is_ready(self, host: str) -> bool:
        return any(self._clock() - at < FRESH_SECONDS for at in self._free.get(host, ())[-1:])

    def _freed(self, host: str) -> None:
        since = self._clock() - FRESH_SECONDS
        self._free[host] = [*(at for at in self._free.get(host, ()) if at > since), self._clock()]

    def let_go(self, response: httpx.Response, body: Batches) -> None:
        """The answer is complete: let the body end in the background, so that its connection is reused."""
        task = asyncio.create_task(self._linger(response, body))
        self._lingering[task] = response
        task.add_done_callback(self._lingering.pop)

    def lingering(self) -> list[asyncio.Task[None]]:
        """Answers that are complete while their bodies have yet to end."""
        return list(self._lingering)

    async def _linger(self, response: httpx.Response, body: Batches) -> None:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await body.drain()
            self._freed(_host(response.request.url))
        except (TimeoutError, httpx.HTTPError, aiohttp.ClientError, OSError):
            pass  # nothing is lost but the connection
        finally:
            await response.aclose()


@lru_cache(maxsize=64)
def _url(url: str) -> httpx.URL:
    """A route's address is parsed once. Raises httpx.InvalidURL."""
    return httpx.URL(url)


@lru_cache(maxsize=64)
def _bare(url: httpx.URL) -> httpx.Request:
    """A request without its prompt: who was asked, and nothing else. Shared; not to be sent."""
    return httpx.Request("POST", url)


def _was_hung_up(error: httpx.TransportError) -> bool:
    """The connection was there and ended before any answer; not that none could be made."""
    cause = error.__cause__
    is_broken = isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return is_broken and not isinstance(cause, aiohttp.ClientConnectorError)


def _host(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


class _Transport(AiohttpTransport):
    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        # Cookies of one provider's edge would travel to its next request: none are kept.
        super().__init__(
            verify=context,
            client=lambda: aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=KEEPALIVE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            ),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.extensions[HANDLE] = getattr(response.stream, "_aiohttp_response", None)
        return response
