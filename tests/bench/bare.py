"""Bare: the smallest ASGI relay, on the same server as ours, with the same HTTP client and the same encoder.

A frame in, a request to the provider, one frame a token out. No sign-in, no database, no log, no coalescing:
what Soksak costs beyond this is what its layers cost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from tests.bench.relay import Answer, Delta, SendMessage, ready_frame, request_body

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

_URL = os.environ.get("BENCH_PROVIDER_URL", "") + "/v1/chat/completions"
_JSON = {"content-type": "application/json"}
_delta_decoder = msgspec.json.Decoder(Delta)
_command_decoder = msgspec.json.Decoder(SendMessage)
_encode = msgspec.json.Encoder().encode
_clients: list[httpx.AsyncClient] = []


def _client() -> httpx.AsyncClient:
    """One for the process, made on its loop; 0 lifts aiohttp's limit of 100 connections, None would not."""
    if not _clients:
        transport = AiohttpTransport(limits=httpx.Limits(max_connections=0, keepalive_expiry=120))
        _clients.append(httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(60)))
    return _clients[0]


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] != "websocket":
        return
    tasks: set[asyncio.Task[None]] = set()
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": ready_frame().decode()})
    while (message := await receive())["type"] == "websocket.receive":
        text = message["text"]
        if text.startswith('{"type":"send_message"'):
            task = asyncio.create_task(_relay(_command_decoder.decode(text), send))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def _relay(command: SendMessage, send: Send) -> None:
    answer = Answer(command)
    await _send_all(send, answer.begin())
    body = request_body(command.text)
    async with _client().stream("POST", _URL, content=body, headers=_JSON) as response:
        async for text in _texts(response):
            await send({"type": "websocket.send", "text": _encode(answer.chunk(text)).decode()})
    await _send_all(send, answer.finish())


async def _texts(response: httpx.Response) -> AsyncIterator[str]:
    rest = b""
    async for data in response.aiter_raw():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {") and (text := _delta_decoder.decode(line[6:]).text):
                yield text


async def _send_all(send: Send, events: list[msgspec.Struct]) -> None:
    for event in events:
        await send({"type": "websocket.send", "text": _encode(event).decode()})
