"""Reading in batches, reuse of connections, and letting go of a model that still writes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import pytest

from streaming.providers import Providers
from streaming.providers.base import Text
from streaming.providers.batches import HANDLE, PausedBatches, PlainBatches, batches_of
from streaming.providers.http import HttpClient
from streaming.providers.pace import JITTER_SECONDS, Pace
from tests.provider_behaviour import words
from tests.provider_server import RunningServer
from tests.streaming.asking import QUESTION, ask, model_named, route_to

TICK = 0.033


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    providers = Providers(tick_seconds=TICK)
    yield providers
    await providers.aclose()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    client.start()
    yield client
    await client.aclose()


async def test_a_fast_model_is_taken_in_batches_and_nothing_is_lost(
    providers: Providers, provider_server: RunningServer
) -> None:
    asked = await ask(providers, route_to(provider_server, model_named("text-3-300+rate-300")))
    assert asked.text == "".join(words(3, 300))
    assert len(asked.texts) < 150, "the connection was not paused: every token came by itself"


async def test_the_first_content_does_not_wait_for_more(providers: Providers, provider_server: RunningServer) -> None:
    route = route_to(provider_server, model_named("text-3+hang-after-1"))
    async with aclosing(providers.provider_for(route).generate(QUESTION, stream=True)) as pieces:
        assert await anext(pieces) == Text(words(3, 1)[0])


async def test_closing_the_stream_leaves_the_model_at_once(
    providers: Providers, provider_server: RunningServer
) -> None:
    route = route_to(provider_server, model_named("paced-100-100000"))
    async with aclosing(providers.provider_for(route).generate(QUESTION, stream=True)) as pieces:
        await anext(pieces)
        assert route.model in await asyncio.to_thread(provider_server.open)
    left = await asyncio.to_thread(provider_server.wait_until_left, route.model)
    assert left["sent"] < 100_000
    assert route.model not in await asyncio.to_thread(provider_server.open)


async def test_a_cancel_while_the_connection_is_paused_leaves_the_model(provider_server: RunningServer) -> None:
    providers = Providers(tick_seconds=3600.0)
    route = route_to(provider_server, model_named("text-3-100000+rate-200"))
    got_some = asyncio.Event()

    async def read() -> None:
        async for _ in providers.provider_for(route).generate(QUESTION, stream=True):
            got_some.set()

    task = asyncio.create_task(read())
    await got_some.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(provider_server.wait_until_left, route.model)
    await providers.aclose()


@pytest.mark.parametrize("behaviour", ["text-1", "text-1+lateend", "text-1+nodone", "fail-500"])
async def test_one_connection_serves_one_answer_after_the_other(
    providers: Providers, provider_server: RunningServer, behaviour: str
) -> None:
    model = model_named(behaviour)
    for stream in (True, False, True):
        await ask(providers, route_to(provider_server, model), stream=stream)
        await asyncio.gather(*providers.client.lingering())
    assert len({seen["connection"] for seen in provider_server.seen(model)}) == 1


async def test_an_answer_whose_body_has_yet_to_end_does_not_outlive_the_client(provider_server: RunningServer) -> None:
    providers = Providers()
    await ask(providers, route_to(provider_server, model_named("text-1+lateend")))
    assert providers.client.lingering()
    await providers.aclose()
    assert not providers.client.lingering()
    # An unclosed connection would say so now, which fails a test.
    gc.collect()


async def test_a_kept_connection_that_the_server_hung_up_is_replaced_unseen(
    providers: Providers, provider_server: RunningServer
) -> None:
    route = route_to(provider_server, model_named("text-1+stale"))
    for stream in (True, False, True):
        asked = await ask(providers, route, stream=stream)
        await asyncio.gather(*providers.client.lingering())
        assert asked.text == "".join(words(1, 40))
    assert [seen["stream"] for seen in provider_server.seen(route.model)] == [True, False, False, True, True]


async def test_many_streams_at_once_do_not_wait_for_each_other(
    providers: Providers, provider_server: RunningServer
) -> None:
    model = model_named("text-1-3+hang-after-3")
    route = route_to(provider_server, model)
    streams = [providers.provider_for(route).generate(QUESTION, stream=True) for _ in range(150)]
    await asyncio.gather(*(anext(stream) for stream in streams))
    assert (await asyncio.to_thread(provider_server.open)).count(model) == 150
    for stream in streams:
        await stream.aclose()


async def test_the_handle_beneath_httpx_is_still_there(client: HttpClient, provider_server: RunningServer) -> None:
    """An upgrade of httpx, httpx_aiohttp or aiohttp that breaks reading in batches fails here, not in production."""
    content = b'{"model":"text-1+hang-after-1","messages":[{"role":"user","content":""}],"stream":true}'
    response = await client.post(f"{provider_server.openai_url}/chat/completions", headers={}, content=content)
    handle = response.extensions[HANDLE]
    assert isinstance(handle, aiohttp.ClientResponse)
    assert handle.connection is not None
    assert isinstance(handle.connection.transport, asyncio.Transport)
    assert isinstance(batches_of(response, client.alarm_clock), PausedBatches)
    await response.aclose()
    assert handle.connection is None


async def test_without_the_handle_reading_is_plain_and_whole(
    client: HttpClient, provider_server: RunningServer
) -> None:
    content = b'{"model":"text-1","messages":[{"role":"user","content":""}],"stream":true}'
    response = await client.post(f"{provider_server.openai_url}/chat/completions", headers={}, content=content)
    response.extensions[HANDLE] = None
    body = batches_of(response, client.alarm_clock)
    assert isinstance(body, PlainBatches)
    data = b""
    while batch := await body.read(rest_seconds=0.001):
        data += batch
    assert data.endswith(b"data: [DONE]\n\n")
    assert await body.read() == b""
    await response.aclose()


async def test_what_came_before_the_connection_broke_is_not_lost(
    client: HttpClient, provider_server: RunningServer
) -> None:
    content = b'{"model":"text-1+cut-after-9","messages":[{"role":"user","content":""}],"stream":true}'
    response = await client.post(f"{provider_server.openai_url}/chat/completions", headers={}, content=content)
    handle = response.extensions[HANDLE]
    with pytest.raises(aiohttp.ClientPayloadError):
        await handle.content.wait_eof()
    body = batches_of(response, client.alarm_clock)
    data = await body.read()
    assert data.count(b'"content": "') == 9 + 1
    with pytest.raises(aiohttp.ClientPayloadError):
        await body.read()
    await response.aclose()


def rests(*batches: tuple[float, int], age: float | None = None) -> list[float]:
    now = 0.0
    pace = Pace(TICK, lambda: now)
    given = []
    for wait, tokens in batches:
        now += wait
        given.append(pace.rest_after(tokens, age))
    return given


def test_the_first_content_is_followed_by_no_pause() -> None:
    assert rests((1.0, 1)) == [0.0]


def test_a_fast_model_is_left_alone_for_a_tick() -> None:
    assert rests((1.0, 1), (0.01, 1), (0.01, 1)) == [0.0, TICK, TICK]
    assert rests((1.0, 1), *[(TICK, 2), (TICK, 1)] * 50)[2:] == [TICK] * 99


def test_who_knows_when_the_newest_came_waits_until_the_next_has_lain_there_for_a_tick() -> None:
    gap = TICK / 2
    paced = [(2 * gap, 2)] * 30
    for age in (0.0, gap / 4, gap):
        assert rests((1.0, 1), *paced, age=age)[-1] == pytest.approx(TICK + gap - age + JITTER_SECONDS)
    # One that is overdue may come at once.
    assert rests((1.0, 1), *paced, age=gap * 1.5)[-1] == pytest.approx(TICK + JITTER_SECONDS)


@pytest.mark.parametrize("set_by", [-3600.0, 3600.0])
def test_a_clock_that_is_set_ends_no_rest_and_makes_none_long(set_by: float) -> None:
    gap = TICK / 2
    for rest in rests((1.0, 1), *[(gap, 1)] * 30, age=set_by)[2:]:
        assert TICK <= rest <= TICK + gap + JITTER_SECONDS + 1e-9


def test_a_slow_model_is_never_made_to_wait() -> None:
    assert rests((1.0, 1), *[(0.04, 1)] * 50) == [0.0] * 51


def test_a_model_that_slows_down_is_no_longer_waited_for() -> None:
    given = rests((1.0, 1), *[(0.01, 1)] * 50, *[(0.2, 1)] * 10)
    assert given[50] == TICK
    assert given[-1] == 0.0


def test_batches_without_content_change_nothing() -> None:
    assert rests((1.0, 0), (5.0, 1), (0.01, 0), (0.0, 1)) == [0.0, 0.0, 0.0, TICK]
