"""What all providers over HTTP share: ask, check, read, hand on, let the connection go.

A dialect says what is sent and how an answer is decoded; this file must not know any dialect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

import httpx
import msgspec

from streaming.providers import refusals
from streaming.providers.base import Finished, Mark, Piece, Prompt, ProviderError, Text, unmarked
from streaming.providers.batches import Batches, batches_of, forget_headers
from streaming.providers.http import HttpClient
from streaming.providers.pace import Pace
from streaming.providers.reading import Decoder, Reading

#: A completed answer, or the text of an error, is never longer than this.
BODY_MAX_BYTES = 4 * 1024 * 1024


class Dialect(Protocol):
    """A provider's way to speak, for one route."""

    url: str
    #: Where a completed answer is asked for.
    completed_url: str
    headers: Mapping[str, str]

    def body(self, prompt: Prompt, *, stream: bool) -> dict[str, object]: ...

    def decoder(self, prompt: Prompt) -> Decoder: ...

    def completed(self, data: bytes, prompt: Prompt) -> tuple[str, Finished]:
        """A completed answer's text and end. Raises ProviderError."""
        ...


class HttpProvider:
    """Any dialect over the process's HTTP client. Safe for concurrent use."""

    def __init__(self, dialect: Dialect, client: HttpClient) -> None:
        self._dialect = dialect
        self._client = client

    async def generate(self, prompt: Prompt, *, stream: bool, mark: Mark = unmarked) -> AsyncGenerator[Piece]:
        response = await self._ask(prompt, stream, mark)
        body = batches_of(response, self._client.alarm_clock)
        is_whole = False
        try:
            await _require_success(response, body)
            if stream and not _is_json(response):
                forget_headers(response)
                reading = self._reading(prompt, body, mark)
                while text := await reading.text():
                    yield Text(text)
                end = reading.finished()
            else:
                text, end = self._dialect.completed(await _whole(body, mark), prompt)
                if text:
                    yield Text(text)
            is_whole = True
            self._client.let_go(response, body)
        finally:
            # Closing the socket is what frees the slot of a model that is still writing.
            if not is_whole:
                await response.aclose()
        yield end

    async def warm(self) -> None:
        try:
            await self._client.touch(self._dialect.url)
        except refusals.UNREACHABLE:
            return  # a hint that came to nothing: the real request will say why

    # Internal

    async def _ask(self, prompt: Prompt, stream: bool, mark: Mark) -> httpx.Response:
        content = _encoded(self._dialect.body(prompt, stream=stream))
        url = self._dialect.url if stream else self._dialect.completed_url
        mark("provider_asked")
        try:
            return await self._client.post(url, headers=self._dialect.headers, content=content)
        except refusals.UNREACHABLE as error:
            raise refusals.of_network(error) from error

    def _reading(self, prompt: Prompt, body: Batches, mark: Mark) -> Reading:
        pace = Pace(self._client.tick_seconds, asyncio.get_running_loop().time)
        return Reading(body, self._dialect.decoder(prompt), pace, mark)


async def _require_success(response: httpx.Response, body: Batches) -> None:
    if response.status_code != 200:
        raise refusals.of_status(response.status_code, response.headers, await _as_far_as_it_came(body))
    if "text/html" in response.headers.get("content-type", ""):
        raise refusals.garbage("A web page was sent; the route's base_url is wrong.")


async def _as_far_as_it_came(body: Batches) -> bytes:
    try:
        return await _whole(body, unmarked)
    except ProviderError:
        return b""


async def _whole(body: Batches, mark: Mark) -> bytes:
    data = bytearray()
    try:
        while batch := await body.read():
            mark("first_byte")
            mark = unmarked
            data += batch
            if len(data) > BODY_MAX_BYTES:
                raise refusals.garbage("The answer does not end.")
    except refusals.NETWORK_ERRORS as error:
        raise refusals.of_break(error) from error
    return bytes(data)


def _is_json(response: httpx.Response) -> bool:
    """Some servers ignore `stream` and send the completed answer."""
    return "application/json" in response.headers.get("content-type", "")


def _encoded(body: dict[str, object]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half of a surrogate pair in somebody's text: a question mark instead
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
