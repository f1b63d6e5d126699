"""Two processes' measurements become one sketch in a real Redis; without it each has its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.providers.latency import LEAST_COUNT, Latencies
from streaming.shared_latencies import SharedLatencies

pytestmark = pytest.mark.redis


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def two(redis: Redis, redis_url: str) -> AsyncIterator[list[SharedLatencies]]:
    both = [SharedLatencies(redis_url, Latencies()) for _ in range(2)]
    yield both
    for each in both:
        await each.aclose()


def measure(shared: SharedLatencies, seconds: float, times: int = LEAST_COUNT) -> None:
    for _ in range(times):
        shared._latencies.note("A route: of ours", seconds)


def p95(shared: SharedLatencies) -> float | None:
    return shared._latencies.quantile("A route: of ours", 0.95)


async def test_what_one_measured_the_other_knows_and_nothing_counts_twice(two: list[SharedLatencies]) -> None:
    here, there = two
    measure(here, 1.0)
    await here.exchange()
    await there.exchange()
    assert p95(there) == pytest.approx(1.0, rel=0.05)
    measure(there, 4.0)
    for _ in range(3):
        await there.exchange()
        await here.exchange()
    for each in two:
        assert p95(each) == pytest.approx(4.0, rel=0.05)
        known = each._latencies.own("A route: of ours") + each._latencies.elsewhere["A route: of ours"]
        assert known.total() == 2 * LEAST_COUNT


async def test_without_redis_what_was_measured_here_stays_news() -> None:
    latencies = Latencies()
    alone = SharedLatencies("redis://127.0.0.1:1/0", latencies)
    measure(alone, 1.0)
    with pytest.raises((RedisError, OSError)):
        await alone.exchange()
    await alone.aclose()
    assert p95(alone) == pytest.approx(1.0, rel=0.05)
    assert sum(buckets.total() for buckets in latencies.news.values()) == LEAST_COUNT


async def test_what_is_none_of_ours_is_left_out(two: list[SharedLatencies], redis: Redis) -> None:
    here, there = two
    measure(here, 1.0)
    await here.exchange()
    (key,) = await redis.keys("soksak:first:*")
    for field, value in (("x:A route: of ours", "9"), ("7", "9"), ("\xff", "many"), ("3:A route: of ours", "-5")):
        await redis.hset(key, field, value)
    await there.exchange()
    assert p95(there) == pytest.approx(1.0, rel=0.05)
