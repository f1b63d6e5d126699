"""Both dialects against the real packaged model: a proof that our reading of the wire is the servers' own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from streaming.local_model.server import MODEL_NAME
from streaming.providers import Providers
from streaming.providers.base import Limits, Prompt, PromptMessage, Route, Text
from streaming.providers.chain import Chain, RouteChosen
from tests.streaming.asking import ask

pytestmark = pytest.mark.local_model
PROMPT = Prompt(
    (PromptMessage("system", "You fly an airship."), PromptMessage("user", "Where are we flying tonight?")),
    max_tokens=12,
)
BEGUN = "Tonight we are flying to the"
#: The model's two slots are shared by the whole run: an answer may have to wait for its turn.
PATIENT = Limits(90.0, 90.0, 110.0)


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    providers = Providers()
    yield providers
    await providers.aclose()


@pytest.fixture(params=["openai", "anthropic"])
def route(request: pytest.FixtureRequest, local_model_url: str) -> Route:
    url = local_model_url if request.param == "openai" else local_model_url.removesuffix("/v1")
    return Route(
        request.param, request.param, url, MODEL_NAME, can_prefill=True, limits=PATIENT, options={"temperature": 0},
    )


@pytest.mark.parametrize("stream", [True, False])
async def test_it_answers_with_usage(providers: Providers, route: Route, stream: bool) -> None:
    asked = await ask(providers, route, PROMPT, stream=stream)
    assert asked.error is None
    assert asked.text.strip()
    assert asked.finished is not None
    assert asked.finished.reason == "length"
    assert asked.finished.completion_tokens == 12
    assert (asked.finished.prompt_tokens or 0) > 12
    assert asked.finished.cached_tokens is not None


@pytest.mark.parametrize("space", ["", " "])
async def test_it_goes_on_after_a_prefill_and_says_only_what_is_new(
    providers: Providers, route: Route, space: str
) -> None:
    prompt = replace(PROMPT, prefill=BEGUN + space)
    streamed = await ask(providers, route, prompt)
    completed = await ask(providers, route, prompt, stream=False)
    for asked in (streamed, completed):
        assert asked.text.strip()
        assert BEGUN not in asked.text
        assert asked.text[0] == " " if not space else asked.text[0] != " "


async def test_a_prompt_that_is_too_long_is_told_as_that(providers: Providers, route: Route) -> None:
    asked = await ask(providers, route, Prompt((PromptMessage("user", "word " * 6000),), 8))
    assert asked.code == "context_too_long"


async def test_leaving_frees_the_models_slot(providers: Providers, route: Route, local_model_url: str) -> None:
    # The number of tokens asked for tells our slot from those of other tests.
    mine = random.randint(1500, 3500)
    prompt = replace(PROMPT, messages=(PromptMessage("user", "Count to ten thousand."),), max_tokens=mine)
    endless = replace(route, options={"ignore_eos": True})
    async with asyncio.timeout(60), aclosing(providers.provider_for(endless).generate(prompt, stream=True)) as pieces:
        # From before the first word on: the model may come to an end of its own.
        busy = asyncio.create_task(until(mine, local_model_url, is_busy=True))
        assert isinstance(await anext(pieces), Text)
        await busy
    async with asyncio.timeout(20):
        await until(mine, local_model_url, is_busy=False)


async def until(max_tokens: int, url: str, *, is_busy: bool) -> None:
    while await is_busy_with(max_tokens, url) is not is_busy:
        pass


async def is_busy_with(max_tokens: int, url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        slots: list[dict[str, Any]] = (await client.get(f"{url.removesuffix('/v1')}/slots")).json()
    return any(slot["is_processing"] and slot["params"]["n_predict"] == max_tokens for slot in slots)


async def test_the_chain_goes_on_with_a_beginning(providers: Providers, route: Route) -> None:
    def prompt_for(route: Route, text: str) -> Prompt:
        return replace(PROMPT, prefill=text)

    pieces = [piece async for piece in Chain([route], providers.provider_for, prompt_for).generate(initial_text=BEGUN)]
    assert pieces[0] == RouteChosen(route.name, MODEL_NAME)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)).strip()
