"""Requests that wait for their answers hold no connection to the database: more may wait than the pool has."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.faultproxy import FaultProxy
from tests.faults.conftest import OpenSite
from tests.faults.visitor import guest, say
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

WAITING = 3
POOL = {"DATABASE_THREADS": "1", "DATABASE_POOL_SIZE": str(WAITING)}


async def test_more_may_wait_than_the_pool_has_connections(open_site: OpenSite, line: FaultProxy) -> None:
    site = open_site(**POOL)
    line.hold_after(6_000)
    site.add_model("text-7-120+rate-200", base_url=f"{line.url}/v1")
    async with guest(site.url) as alice:
        rooms = [await alice.open_room() for _ in range(WAITING)]
        asked = [asyncio.create_task(alice.complete(say(room, "Tell me."))) for room in rooms]
        for room in rooms:
            await asyncio.to_thread(wait_until, partial(site.rows.answers, room), "the turn to be accepted")
        async with asyncio.timeout(3.0):
            assert (await alice.page(rooms[0]))["messages"]
        line.flow()
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * WAITING
