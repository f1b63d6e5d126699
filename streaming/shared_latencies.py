"""What every process measured of the routes' first content, added up in Redis: one hash a slot of time.

A process alone knows a quiet route's tail late. Redis may be away at any time: then each knows what it measured itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from redis.exceptions import RedisError

from streaming import metrics
from streaming.log_tail import connect
from streaming.providers.latency import SLOT_SECONDS, SLOTS, Buckets, Latencies

EXCHANGE_SECONDS = 5.0
LIFETIME_SECONDS = int(SLOT_SECONDS * (SLOTS + 1))

log = structlog.get_logger(__name__)


class SharedLatencies:
    def __init__(self, url: str, latencies: Latencies) -> None:
        self._redis = connect(url)
        self._latencies = latencies

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(EXCHANGE_SECONDS)
            try:
                await self.exchange()
            except (RedisError, OSError) as error:
                # What was not told stays news; what others told grows old by the sketch's own clock.
                log.warning("latencies_not_shared", cause=str(error))
            except Exception:
                log.exception("latencies_duty_crashed")

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def exchange(self) -> None:
        """Tell what is new here, learn what is known everywhere. Raises RedisError."""
        latencies = self._latencies
        told, latencies.news = latencies.news, {}
        try:
            found = await self._told_and_read(told)
        except BaseException:
            # Told twice at worst, when only the reply was lost: a sketch survives that.
            for key, buckets in told.items():
                latencies.news.setdefault(key, Counter()).update(buckets)
            raise
        latencies.learn({route: known - latencies.own(route) for route, known in _added(found).items()})

    async def _told_and_read(self, told: dict[tuple[str, int], Buckets]) -> list[dict[bytes, bytes]]:
        now = self._latencies.slot()
        async with self._redis.pipeline(transaction=False) as pipe:
            for (route, slot), buckets in told.items():
                for bucket, count in buckets.items():
                    pipe.hincrby(_key(slot), f"{bucket}:{route}", count)
                pipe.expire(_key(slot), LIFETIME_SECONDS)
            for slot in range(now - SLOTS + 1, now + 1):
                pipe.hgetall(_key(slot))
            replies = await pipe.execute()
        return list(replies[-SLOTS:])


def _key(slot: int) -> str:
    return f"soksak:first:{slot}"


def _added(hashes: list[dict[bytes, bytes]]) -> dict[str, Buckets]:
    """By route; what is none of ours is counted and left out."""
    known: dict[str, Buckets] = {}
    for field, value in (item for found in hashes for item in found.items()):
        bucket, _, route = field.decode("utf-8", "replace").partition(":")
        try:
            known.setdefault(route, Counter())[int(bucket)] += max(0, int(value))
        except ValueError:
            metrics.LOG_FOREIGN.inc()
    return known
