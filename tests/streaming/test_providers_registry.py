from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from streaming.providers import PROVIDERS, Providers
from streaming.providers.base import ProviderError, Route
from streaming.providers.http import FRESH_SECONDS
from streaming.providers.scripted import ScriptedProvider
from tests.provider_server import RunningServer
from tests.streaming.asking import QUESTION, ask, model_named, route_to, touches

ROUTE = Route("main", "openai", "http://127.0.0.1:9/v1", "m")


def refusal(providers: Providers, route: Route) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        providers.provider_for(route)
    assert not caught.value.retryable
    return caught.value


def test_an_unchanged_route_keeps_its_provider_and_a_changed_one_gets_another() -> None:
    providers = Providers()
    first = providers.provider_for(ROUTE)
    assert providers.provider_for(replace(ROUTE)) is first
    assert providers.provider_for(replace(ROUTE, options={"temperature": 1})) is not first


@pytest.mark.parametrize("kind", [kind for kind in PROVIDERS if kind != "scripted"])
def test_switched_off_no_provider_over_http_is_given(kind: str) -> None:
    error = refusal(Providers(allow_requests=False), replace(ROUTE, kind=kind))  # type: ignore[arg-type]
    assert error.code == "provider_not_configured"
    assert "switched off" in error.message


def test_switched_off_the_scripted_provider_still_works() -> None:
    assert isinstance(Providers(allow_requests=False).provider_for(replace(ROUTE, kind="scripted")), ScriptedProvider)


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "ключ"])
def test_a_key_that_cannot_be_used_is_a_mistake_in_the_set_up(key: str) -> None:
    error = refusal(Providers(environ={"MY_KEY": key}), replace(ROUTE, api_key_env="MY_KEY"))
    assert error.code == "provider_not_configured"
    assert "MY_KEY" in error.message
    assert not key.strip() or key not in error.message


def test_a_key_that_is_set_later_is_found() -> None:
    environ: dict[str, str] = {}
    providers, route = Providers(environ=environ), replace(ROUTE, api_key_env="MY_KEY")
    refusal(providers, route)
    environ["MY_KEY"] = "sk-1"
    assert providers.provider_for(route) is providers.provider_for(route)


@pytest.mark.parametrize(
    "route",
    [
        replace(ROUTE, kind="telepathy"),  # type: ignore[arg-type]
        replace(ROUTE, kind="scripted", options={"no_such": 1}),
        replace(ROUTE, options={"prefill_fields": "x"}),
    ],
)
def test_a_kind_or_option_that_is_not_known_is_a_mistake_in_the_set_up(route: Route) -> None:
    assert refusal(Providers(), route).code == "provider_not_configured"


async def test_warming_makes_the_connection_that_the_next_answer_uses(
    provider_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    providers = Providers(clock=lambda: now)
    touched = touches(providers, monkeypatch)
    route = route_to(provider_server, model_named("text-1"))
    # Everybody comes back at once: one connection is enough to begin with.
    await asyncio.gather(*(providers.warm(route) for _ in range(20)))
    await providers.warm(route)
    assert (provider_server.seen(route.model), len(touched)) == ([], 1)
    await ask(providers, route)
    await asyncio.gather(*providers.client.lingering())
    await providers.warm(route)
    assert len(touched) == 1, "the answer's own connection is there"
    now = FRESH_SECONDS + 1
    await providers.warm(route)
    assert len(touched) == 2, "it may have been hung up by now"
    await ask(providers, route)
    assert len({seen["connection"] for seen in provider_server.seen(route.model)}) == 1
    await providers.aclose()


async def test_a_connection_that_is_in_use_is_nobody_elses(
    provider_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    providers = Providers()
    long, short = (route_to(provider_server, model_named(name)) for name in ("text-1+hang-after-1", "text-2"))
    async with aclosing(providers.provider_for(long).generate(QUESTION, stream=True)) as pieces:
        await anext(pieces)
        touched = touches(providers, monkeypatch)
        await providers.warm(short)
        await providers.warm(short)
        assert len(touched) == 1
        await ask(providers, short)
    (first,), (second,) = provider_server.seen(long.model), provider_server.seen(short.model)
    assert first["connection"] != second["connection"]
    await providers.aclose()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "", "no address"])
async def test_warming_never_fails(url: str) -> None:
    providers = Providers()
    await providers.warm(replace(ROUTE, base_url=url))
    await providers.warm(replace(ROUTE, name="other", base_url=url, api_key_env="NOT_SET"))
    await providers.aclose()


async def test_after_aclose_it_can_be_used_again(provider_server: RunningServer) -> None:
    providers = Providers()
    for _ in range(2):
        providers.start()
        assert (await ask(providers, route_to(provider_server, model_named("text-1")), QUESTION)).finished
        await providers.aclose()
