"""The chain over real sockets: every way a stream can break, in both dialects."""

from __future__ import annotations

import asyncio

import pytest

from streaming.providers import Providers
from streaming.providers.base import Finished, Limits, Text
from streaming.providers.chain import Chain, Recovering, RouteChosen
from tests.provider_behaviour import words
from tests.provider_server import RunningServer
from tests.streaming.asking import model_named, route_to
from tests.streaming.chaining import prompt_for


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("trouble", ["cut", "reset", "end", "garbage", "errorframe", "hang"])
@pytest.mark.parametrize("can_prefill", [True, False])
async def test_every_character_comes_once(
    provider_server: RunningServer, kind: str, trouble: str, can_prefill: bool
) -> None:
    behaviour = f"text-7+{trouble}-after-9+once" + ("" if can_prefill else "+repeat")
    limits = Limits(20.0, 0.3, 60.0)
    to = route_to(provider_server, model_named(behaviour), kind=kind, can_prefill=can_prefill, limits=limits)
    providers = Providers()
    pieces = [piece async for piece in Chain([to], providers.provider_for, prompt_for).generate()]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == "".join(words(7, 40))
    assert isinstance(pieces[-1], Finished)
    assert sum(isinstance(piece, Recovering) for piece in pieces) == 1
    await providers.aclose()


async def test_a_refusal_on_one_route_is_an_answer_from_the_next(provider_server: RunningServer) -> None:
    names = [model_named("fail-401"), model_named("fail-429-60"), model_named("hang-first"), model_named("text-7")]
    routes = [route_to(provider_server, name, limits=Limits(0.3, 5.0, 60.0)) for name in names[:3]]
    routes.append(route_to(provider_server, names[3]))
    providers = Providers()
    pieces = [piece async for piece in Chain(routes, providers.provider_for, prompt_for).generate()]
    assert [piece for piece in pieces if isinstance(piece, RouteChosen)] == [RouteChosen(names[3], names[3])]
    assert [piece.code for piece in pieces if isinstance(piece, Recovering)] == [
        "provider_refused", "provider_rate_limited", "provider_first_content_timeout",
    ]
    assert await asyncio.to_thread(provider_server.wait_until_left, names[2])
    await providers.aclose()
