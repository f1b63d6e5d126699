"""Both dialects against a server that misbehaves on request: every way to fail has its code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from streaming.local_model.supervisor import free_port
from streaming.providers import Providers
from streaming.providers.base import Finished, Limits, Prices
from streaming.providers.calls import Call
from streaming.providers.timers import timed
from tests.provider_behaviour import words
from tests.provider_server import RunningServer
from tests.streaming.asking import QUESTION, Asked, ask, model_named, route_to

WHOLE = "".join(words(7, 40))
KINDS = ["openai", "anthropic", "gemini"]


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    providers = Providers(environ={"A_KEY": "sk-secret-1234567890"})
    yield providers
    await providers.aclose()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def asked_of(
    providers: Providers, server: RunningServer, behaviour: str, kind: str, *, stream: bool = True
) -> Asked:
    return await ask(providers, route_to(server, model_named(behaviour), kind=kind), stream=stream)


async def test_a_streamed_answer_arrives_whole_with_usage(
    providers: Providers, provider_server: RunningServer, kind: str
) -> None:
    asked = await asked_of(providers, provider_server, "text-7+rate-400", kind)
    assert asked.text == WHOLE
    prompt, cached = (15, 5) if kind == "anthropic" else (6, 3)
    assert asked.finished == Finished("stop", prompt, 40, cached)
    assert asked.marks == ["provider_asked", "first_byte"]


@pytest.mark.parametrize("behaviour", ["text-7", "text-7+gzip"])
async def test_a_completed_answer_is_one_text_with_usage(
    providers: Providers, provider_server: RunningServer, kind: str, behaviour: str
) -> None:
    asked = await asked_of(providers, provider_server, behaviour, kind, stream=False)
    assert asked.texts == [WHOLE]
    assert asked.finished is not None
    assert asked.finished.completion_tokens == 40
    assert asked.marks == ["provider_asked", "first_byte"]


@pytest.mark.parametrize(
    "behaviour",
    ["bytes", "crlf", "crlf+bytes", "burst-7", "nousage", "lateend", "gzip", "gzip+bytes", "comments", "comments+crlf"],
)
async def test_how_the_bytes_are_cut_makes_no_difference(
    providers: Providers, provider_server: RunningServer, kind: str, behaviour: str
) -> None:
    asked = await asked_of(providers, provider_server, f"text-7-12+{behaviour}", kind)
    assert asked.text == "".join(words(7, 12))
    assert asked.finished is not None


async def test_without_usage_the_counts_are_unknown_and_the_cost_is_estimated(
    providers: Providers, provider_server: RunningServer, kind: str
) -> None:
    asked = await asked_of(providers, provider_server, "text-7+nousage", kind)
    assert asked.finished is not None
    assert asked.finished.completion_tokens is None
    route = replace(route_to(provider_server, "m", kind=kind), prices=Prices(1.0, 0.5, 2.0))
    call = Call.of(route, QUESTION, "first", is_streamed=True)
    call.finished, call.text_bytes = asked.finished, len(asked.text.encode())
    assert not call.is_counted
    assert all(tokens > 0 for tokens in (call.tokens[0], call.tokens[2]))
    assert call.cost > 0


@pytest.mark.parametrize(("flag", "reason"), [("length", "length"), ("filter", "content_filter"), ("nodone", "stop")])
@pytest.mark.parametrize("stream", [True, False])
async def test_the_models_reason_to_end_is_told(
    providers: Providers, provider_server: RunningServer, kind: str, flag: str, reason: str, stream: bool
) -> None:
    asked = await asked_of(providers, provider_server, f"text-7+{flag}", kind, stream=stream)
    assert asked.finished is not None
    assert asked.finished.reason == reason


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_the_marker_alone_is_an_end(providers: Providers, provider_server: RunningServer, kind: str) -> None:
    asked = await asked_of(providers, provider_server, "text-7+noreason", kind)
    assert asked.finished is not None
    assert asked.text == WHOLE


async def test_geminis_marker_is_the_reason(providers: Providers, provider_server: RunningServer) -> None:
    asked = await asked_of(providers, provider_server, "text-7+noreason", "gemini")
    assert asked.code == "provider_incomplete"
    assert asked.text == WHOLE


async def test_gemini_breaks_off_with_an_error_that_is_no_event(
    providers: Providers, provider_server: RunningServer
) -> None:
    asked = await asked_of(providers, provider_server, "text-7+bare-after-5", "gemini")
    assert asked.error is not None
    assert (asked.code, asked.error.retryable) == ("provider_error_frame", True)
    assert "RESOURCE_EXHAUSTED" in asked.error.message
    assert asked.text == "".join(words(7, 40)[:5])


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("behaviour", "code", "retryable", "retry_after"),
    [
        ("fail-400", "provider_refused", False, None),
        ("fail-401", "provider_refused", False, None),
        ("fail-404", "provider_refused", False, None),
        ("fail-429-3", "provider_rate_limited", True, 3.0),
        ("fail-500", "provider_unavailable", True, None),
        ("fail-529", "provider_unavailable", True, None),
        ("fail-context", "context_too_long", False, None),
        ("redirect", "provider_refused", False, None),
        ("html", "provider_garbage", True, None),
    ],
)
async def test_a_refusal_has_its_code(
    providers: Providers, provider_server: RunningServer, kind: str, behaviour: str, code: str, retryable: bool,
    retry_after: float | None, stream: bool,
) -> None:
    asked = await asked_of(providers, provider_server, behaviour, kind, stream=stream)
    assert asked.error is not None
    assert (asked.error.code, asked.error.retryable) == (code, retryable)
    assert asked.error.retry_after_seconds == retry_after
    assert not asked.texts


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("cut-after-5", "provider_incomplete"),
        ("reset-after-5", "provider_incomplete"),
        ("end-after-5", "provider_incomplete"),
        ("garbage-after-5", "provider_garbage"),
        ("huge-after-5", "provider_garbage"),
        ("errorframe-after-5", "provider_error_frame"),
        ("errorframe-after-0", "provider_error_frame"),
        ("end-after-0", "provider_incomplete"),
    ],
)
async def test_what_came_before_a_failure_midway_is_given_first(
    providers: Providers, provider_server: RunningServer, kind: str, behaviour: str, code: str
) -> None:
    asked = await asked_of(providers, provider_server, f"text-7+{behaviour}", kind)
    assert asked.code == code
    assert asked.error is not None
    assert asked.error.retryable
    assert asked.text == "".join(words(7, 40)[: int(behaviour.rsplit("-", 1)[1])])


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("hang-connect", "provider_first_content_timeout"),
        ("hang-first", "provider_first_content_timeout"),
        ("ping-first", "provider_first_content_timeout"),
        ("hang-after-5", "provider_gap_timeout"),
        ("ping-after-5", "provider_gap_timeout"),
    ],
)
async def test_only_content_counts_against_the_clock(
    providers: Providers, provider_server: RunningServer, kind: str, behaviour: str, code: str
) -> None:
    route = route_to(provider_server, model_named(behaviour), kind=kind)
    limits = Limits(1.5, 20.0, 20.0) if "first" in code else Limits(20.0, 1.5, 20.0)
    pieces = timed(providers.provider_for(route).generate(QUESTION, stream=True), limits)
    with pytest.raises(Exception, match="in time") as caught:
        async for _ in pieces:
            pass
    assert getattr(caught.value, "code", "") == code
    left = await asyncio.to_thread(provider_server.wait_until_left, route.model)
    assert left["sent"] == (5 if "after" in behaviour else 0)


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://no.such.invalid"])
async def test_no_connection_is_unavailable_and_worth_another_try(
    providers: Providers, provider_server: RunningServer, kind: str, address: str
) -> None:
    url = address.format(port=free_port())
    asked = await ask(providers, replace(route_to(provider_server, "m", kind=kind), base_url=url))
    assert asked.code == "provider_unavailable"
    assert asked.error is not None
    assert asked.error.retryable
    assert asked.error.message.isprintable()


async def test_tls_to_a_server_without_it_is_unavailable(
    providers: Providers, provider_server: RunningServer, kind: str
) -> None:
    route = route_to(provider_server, "m", kind=kind)
    asked = await ask(providers, replace(route, base_url=route.base_url.replace("http:", "https:")))
    assert asked.code == "provider_unavailable"


@pytest.mark.parametrize("address", ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://[::1"])
async def test_an_address_that_is_none_is_a_mistake_in_the_set_up(
    providers: Providers, provider_server: RunningServer, kind: str, address: str
) -> None:
    asked = await ask(providers, replace(route_to(provider_server, "m", kind=kind), base_url=address))
    assert asked.code == "provider_not_configured"
    assert asked.error is not None
    assert not asked.error.retryable


async def test_the_key_is_sent_and_never_told(
    providers: Providers, provider_server: RunningServer, kind: str
) -> None:
    model = model_named("fail-401")
    route = replace(route_to(provider_server, model, kind=kind), api_key_env="A_KEY")
    asked = await ask(providers, route)
    headers = provider_server.seen(model)[0]["headers"]
    assert "sk-secret-1234567890" in {
        headers.get("authorization", "").removeprefix("Bearer "), headers.get("x-api-key"),
        headers.get("x-goog-api-key"),
    }
    assert asked.error is not None
    assert "secret" not in asked.error.message
