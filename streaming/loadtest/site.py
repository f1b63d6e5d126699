"""A deployment's HTTP doors, for people who are none: one connector for all, a session and its cookies for each."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self
from uuid import UUID

import aiohttp

from streaming.loadtest.plan import NoLoadTest

#: As browsers of ours: frontend_static/js/visitor_api.js, connection.js.
REQUEST_SECONDS = 15.0
OPEN_SECONDS = 8.0
CLOSE_SECONDS = 1.0
#: What can go wrong on the way; SiteRefused is what the site itself says.
UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)
AGENT = "soksak-loadtest"


class SiteRefused(Exception):
    """The site said no, with one of the contract's codes; `unreachable` where it said nothing of the kind."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        self.code = str(error.get("code") or "unreachable")
        super().__init__(str(error.get("message") or f"HTTP {status}"))
        self.retry_after_seconds = float(error.get("retryAfterMs") or 1000.0) / 1000


class Site:
    """Use as a context; `visitor()` is somebody new at its doors."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._visitors: list[Visitor] = []

    async def __aenter__(self) -> Self:
        self._connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=120.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for visitor in self._visitors:
            await visitor.aclose()
        await self._connector.close()

    def visitor(self) -> Visitor:
        self._visitors.append(Visitor(self.url, self._connector))
        return self._visitors[-1]

    async def characters(self) -> list[str]:
        """Their slugs. Raises NoLoadTest, also when this is no Soksak."""
        try:
            answer = await self.visitor().look("/chat/characters")
        except TimeoutError:
            raise NoLoadTest(f"{self.url} does not answer within {REQUEST_SECONDS:g} s.") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise NoLoadTest(f"The certificate of {self.url} is not accepted: {error.certificate_error}.") from None
        except UNREACHABLE as error:
            raise NoLoadTest(f"{self.url} cannot be reached: {reason_of(error)}.") from None
        found = [str(one["characterId"]) for one in answer.get("characters", [])]
        if not found:
            raise NoLoadTest(f"{self.url} has no characters to talk to: `manage.py seed` makes them there.")
        return found


class Visitor:
    """One person's session. Raises SiteRefused, and UNREACHABLE, wherever nothing else is said."""

    def __init__(self, url: str, connector: aiohttp.TCPConnector) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(
            connector=connector, connector_owner=False,
            # A site may be an address of digits, whose cookies aiohttp would not keep.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"User-Agent": AGENT, "Accept-Language": "en", "Origin": url, "Referer": f"{url}/"},
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    async def aclose(self) -> None:
        await self._session.close()

    async def look(self, path: str) -> dict[str, Any]:
        """JSON of a site that is not known yet. Raises NoLoadTest."""
        async with self._session.get(self._at(path), allow_redirects=False) as response:
            if 300 <= response.status < 400:
                raise NoLoadTest(f"{self._url} redirects to {response.headers.get('Location')}: give that with --url.")
            answer = await _json(response)
            if response.status != 200 or "characters" not in answer:
                raise NoLoadTest(
                    f"{self._url} answers ({response.status}), but not as a Soksak that is called by this name: look "
                    "at the address, and at ALLOWED_HOSTS there."
                )
            return answer

    async def enter(self) -> int:
        """As a guest who is nobody; returns the user's id."""
        async with self._session.get(self._at("/")) as response:
            await response.read()
        return int((await self.post("/accounts/guest/", {"loadTest": True}))["userId"])

    async def open_room(self, character: str) -> UUID:
        return UUID((await self.post("/chat/rooms", {"characterId": character}))["roomId"])

    async def page(self, room_id: UUID) -> dict[str, Any]:
        """The room's newest messages."""
        async with self._session.get(self._at(f"/chat/rooms/{room_id}/messages")) as response:
            return await _accepted(response)

    async def post(self, path: str, body: dict[str, Any], *, seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with self._session.post(self._at(path), json=body, headers=self._token(), timeout=timeout) as response:
            return await _accepted(response)

    @asynccontextmanager
    async def stream(self, path: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.StreamReader]:
        """A turn's server-sent events, as bytes; silence on them is for the reader to bound."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=OPEN_SECONDS)
        async with self._session.post(self._at(path), json=body, headers=self._token(), timeout=timeout) as response:
            if response.status != 200:
                await _accepted(response)
            yield response.content

    def socket(self, room_id: UUID) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        return self._session.ws_connect(
            self._at(f"/ws/rooms/{room_id}/"), origin=self._url, max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        )

    # Internal

    def _at(self, path: str) -> str:
        return f"{self._url}{path}"

    def _token(self) -> dict[str, str]:
        """Signing in changes it: it is read anew every time."""
        token = next((cookie.value for cookie in self._session.cookie_jar if cookie.key == "csrftoken"), "")
        return {"X-CSRFToken": token}


def reason_of(error: Exception) -> str:
    """One of UNREACHABLE in a few words."""
    cause = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number) if number else str(error) or type(error).__name__


async def _accepted(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Raises SiteRefused. A model's failure is an answer too: it comes with its turn."""
    answer = await _json(response)
    if response.status >= 400 and "result" not in answer:
        raise SiteRefused(response.status, answer.get("error") or {})
    return answer


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        answer = json.loads(await response.read() or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
