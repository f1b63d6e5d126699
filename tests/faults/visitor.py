"""Somebody at the site's doors without a browser: a guest's session, CSRF and JSON over HTTP."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

TIMEOUT_SECONDS = 60.0
CHARACTER = "haneul"
#: One for all visitors: it takes tens of milliseconds to make.
TLS = ssl.create_default_context()
_numbers = itertools.count(1)
NO_LIMITS = httpx.Limits(max_connections=None)


class Visitor:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    @property
    def cookie(self) -> str:
        """The session, as a handshake's header."""
        return f"sessionid={self._client.cookies['sessionid']}"

    async def enter(self) -> None:
        """From a stranger to a guest."""
        (await self._client.get("/")).raise_for_status()
        (await self.post("/accounts/guest/", {})).raise_for_status()

    async def open_room(self) -> UUID:
        response = await self.post("/chat/rooms", {"characterId": CHARACTER})
        return UUID(response.raise_for_status().json()["roomId"])

    async def page(self, room_id: UUID) -> dict[str, Any]:
        """The room's newest messages."""
        return await self._get(f"/chat/rooms/{room_id}/messages")

    async def message(self, message_id: UUID) -> dict[str, Any]:
        view: dict[str, Any] = (await self._get(f"/chat/messages/{message_id}"))["message"]
        return view

    async def post(self, path: str, body: dict[str, Any], *, seconds: float = TIMEOUT_SECONDS) -> httpx.Response:
        return await self._client.post(path, json=body, headers=self._token(), timeout=seconds)

    async def complete(self, command: dict[str, Any], *, seconds: float = TIMEOUT_SECONDS) -> httpx.Response:
        """The completed response of a turn."""
        return await self.post("/chat/messages", command, seconds=seconds)

    def open_turn(self, command: dict[str, Any], *, seconds: float) -> AbstractAsyncContextManager[httpx.Response]:
        """A turn's stream; `seconds`: of silence on it."""
        return self._client.stream(
            "POST", "/chat/messages/stream", json=command, headers=self._token(), timeout=seconds
        )

    def open_answer(
        self, message_id: UUID, last_event_id: str | None, *, seconds: float
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """An answer's stream from where the reader is."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return self._client.stream("GET", f"/chat/messages/{message_id}/stream", headers=headers, timeout=seconds)

    async def stream(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        """Every event of a turn's stream, to its end."""
        request = self._client.stream("POST", "/chat/messages/stream", json=command, headers=self._token())
        async with request as response:
            response.raise_for_status()
            return [json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: ")]

    async def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._client.get(path)).raise_for_status().json()
        return answer

    def _token(self) -> dict[str, str]:
        return {"X-CSRFToken": self._client.cookies["csrftoken"]}


@asynccontextmanager
async def guest(url: str, *, seconds: float = TIMEOUT_SECONDS) -> AsyncIterator[Visitor]:
    """A fresh guest at `url`; English, so that what the site says can be read in a failure."""
    client = httpx.AsyncClient(
        base_url=url, timeout=seconds, headers={"Accept-Language": "en"}, verify=TLS, limits=NO_LIMITS
    )
    async with client:
        visitor = Visitor(client)
        await visitor.enter()
        yield visitor


@asynccontextmanager
async def elsewhere(visitor: Visitor, url: str, *, seconds: float = TIMEOUT_SECONDS) -> AsyncIterator[Visitor]:
    """The same person at another address of the site."""
    client = httpx.AsyncClient(
        base_url=url, timeout=seconds, headers={"Accept-Language": "en"}, verify=TLS, limits=NO_LIMITS,
        cookies={"sessionid": visitor.cookies["sessionid"], "csrftoken": visitor.cookies["csrftoken"]},
    )
    async with client:
        yield Visitor(client)


def request_id() -> str:
    return f"turn-{next(_numbers):06d}"


def say(room_id: UUID, text: str) -> dict[str, Any]:
    """A send_message command with a requestId of its own, for any of the HTTP doors."""
    return {"requestId": request_id(), "roomId": str(room_id), "text": text}
