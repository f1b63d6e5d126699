"""A model that is none: OpenAI-compatible, with a tail to order. Its words have many bytes, to be counted right."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from aiohttp import web

from streaming.loadtest.plan import NoLoadTest
from streaming.loadtest.tails import Answer, Tail

NAME = "simulated"
WORDS = (
    "rain ", "taps ", "softly, ", "*smiles* ", '"stay," ', "달빛이 ", "창가에 ", "*웃는다* ", "조금만 ", "더… ", "🌙 ",
)
#: Whoever waits longer has long given up.
STALL_SECONDS = 3600.0


class ModelServer:
    """`asked`: how many answers it was asked for."""

    def __init__(self, tail: Tail, seed: int) -> None:
        self.asked = 0
        self.base_url = ""
        self.tail = tail
        self._chance = Random(seed)

    @property
    def environment(self) -> str:
        """What a deployment that shall ask it is started with."""
        return f"PROVIDER_BASE_URL={self.base_url} PROVIDER_MODEL={NAME}"

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[None]:
        """Raises NoLoadTest where it cannot listen there."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        # A client that leaves ends its answer.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise NoLoadTest(f"The simulated model cannot listen on {host}:{port}: {reason}.") from None
            self.base_url = f"http://{host}:{runner.addresses[0][1]}/v1"
            yield
        finally:
            await runner.cleanup()

    # Internal

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        self.asked += 1
        answer = self.tail.draw(self._chance)
        tokens = max(1, min(answer.tokens, int(body.get("max_tokens") or answer.tokens)))
        words = self._chance.choices(WORDS, k=tokens)
        usage = {"prompt_tokens": len(str(body.get("messages"))) // 4, "completion_tokens": tokens}
        await asyncio.sleep(STALL_SECONDS if answer.first is None else answer.first)
        if body.get("stream"):
            return await _streamed(request, words, answer, usage)
        await asyncio.sleep(_due(tokens, answer))
        message = {"role": "assistant", "content": "".join(words)}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})


async def _streamed(
    request: web.Request, words: list[str], answer: Answer, usage: dict[str, int]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for index, word in enumerate(words):
        await _until(began + _due(index, answer))
        await response.write(_event({"choices": [{"delta": {"content": word}}]}))
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage}
    await response.write(_event(last) + b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _due(tokens: int, answer: Answer) -> float:
    return tokens / answer.per_second if answer.per_second else 0.0


async def _until(moment: float) -> None:
    """By the clock, not by steps: what is late is caught up."""
    if (wait := moment - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(wait)


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"
