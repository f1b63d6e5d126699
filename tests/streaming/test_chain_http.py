"""The chain over real sockets: every way a stream can break, in both dialects."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from streaming.providers import Providers
from streaming.providers.base import Finished, Limits, Prices, ProviderError, Text
from streaming.providers.calls import Call
from streaming.providers.chain import Chain, Recovering, RouteChosen
from streaming.providers.health import FAILURES
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


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"base_url": "no address"}, "provider_not_configured"), ({"kind": "telepathy"}, "provider_not_configured"),
        ({"api_key_env": "NOT_SET"}, "provider_not_configured"),
        ({"options": {"prefill_fields": 1}}, "provider_not_configured"),
        # No name of a host at all, which IDNA finds out.
        ({"base_url": "http://api..example.com/v1"}, "provider_not_configured"),
        ({"base_url": f"http://{'a' * 70}.example.com/v1"}, "provider_not_configured"),
        ({"base_url": "http://127.0.0.1:1/v1"}, "provider_unavailable"),
        ({"model": "fail-401"}, "provider_refused"),
        ({"model": "fail-204"}, "provider_refused"), ({"model": "fail-304"}, "provider_refused"),
        ({"model": "empty"}, "provider_empty"),
        ({"model": "fail-404"}, "provider_refused"), ({"model": "redirect"}, "provider_refused"),
        ({"model": "html"}, "provider_garbage"), ({"model": "text-7+huge-after-0"}, "provider_garbage"),
    ],
    ids=str,
)
async def test_whatever_is_wrong_with_a_route_the_next_one_answers(
    provider_server: RunningServer, wrong: dict[str, Any], code: str
) -> None:
    """And the wrong one is accounted, so that it is seen, and asked last after a while."""
    good = replace(route_to(provider_server, model_named("text-7")), prices=Prices(1.0, 2.0))
    wrong = {**wrong, "model": model_named(wrong.get("model", "text-7"))}
    providers, calls = Providers(environ={}), list[Call]()
    chain = Chain([replace(good, **wrong), good], providers.provider_for, prompt_for, heard=calls.append)
    pieces = [piece async for piece in chain.generate()]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == "".join(words(7, 40))
    assert (calls[0].why, calls[0].outcome) == ("first", code)
    # Who was not read is not paid.
    assert (calls[0].cost > 0.0) is (code in ("provider_garbage", "provider_empty"))
    assert code in FAILURES
    assert (calls[-1].why, calls[-1].outcome) == ("next", "stop")
    await providers.aclose()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
async def test_an_answer_that_is_whole_is_not_spoiled_by_its_usage(provider_server: RunningServer, kind: str) -> None:
    providers, calls = Providers(), list[Call]()
    to = route_to(provider_server, model_named("text-7+badusage"), kind=kind)
    pieces = [piece async for piece in Chain([to], providers.provider_for, prompt_for, heard=calls.append).generate()]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == "".join(words(7, 40))
    assert [(call.outcome, call.is_counted) for call in calls] == [("stop", False)]
    await providers.aclose()


async def test_two_routes_that_are_the_same_and_both_wrong_end_soon(provider_server: RunningServer) -> None:
    same = route_to(provider_server, model_named("fail-500"))
    providers, calls = Providers(), list[Call]()
    chain = Chain([same, replace(same, name="again")], providers.provider_for, prompt_for, heard=calls.append)
    with pytest.raises(ProviderError) as caught:
        [piece async for piece in chain.generate()]
    assert caught.value.code == "provider_unavailable"
    assert [call.why for call in calls] == ["first", "again", "next", "again", "completed"]
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
