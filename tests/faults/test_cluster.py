"""The cluster itself: every way to it works, gates hold, a worker that stands still is passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.faults.asker import Asker
from tests.faults.clients import Client
from tests.faults.cluster import Cluster
from tests.faults.listener import Listener
from tests.faults.script import script
from tests.faults.tab import Tab
from tests.faults.visitor import Visitor, guest, say
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.redis]

Make = Callable[[Cluster, Visitor, UUID, str], Client]
PATHS: dict[str, Make] = {
    "socket": lambda cluster, visitor, room_id, text: Tab(visitor, room_id, cluster.ws_url, say(room_id, text)),
    "sse": lambda cluster, visitor, room_id, text: Listener(visitor, say(room_id, text)),
    "post": lambda cluster, visitor, room_id, text: Asker(visitor, say(room_id, text)),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("gate", ["gate-ask", "gate-first", "gate-after-20", "gate-end"])
async def test_an_answer_waits_at_its_gate_and_then_comes_whole(cluster: Cluster, path: str, gate: str) -> None:
    told = script(3, 60, "rate-300", gate)
    async with guest(cluster.url) as alice:
        room_id = await alice.open_room()
        client = PATHS[path](cluster, alice, room_id, told.said)
        await client.come()
        client.send()
        await asyncio.to_thread(wait_until, lambda: told.id in cluster.models.held(), "the gate to be reached")
        assert [answer.status for answer in cluster.rows.answers(room_id)] == ["writing"]
        cluster.models.let_go([told.id])
        assert (await client.over()).text == told.text
        await client.leave()
        (stored,) = cluster.rows.answers(room_id)
        assert (stored.text, stored.status) == (told.text, "complete")
        assert cluster.models.calls()[told.behaviour] == 1
        assert client.diary.mismatches == 0


@pytest.mark.parametrize("path", PATHS)
async def test_a_killed_worker_s_answer_is_finished_by_the_other_one(cluster: Cluster, path: str) -> None:
    told = script(4, 60, "rate-300", "gate-after-20")
    cluster.front.prefer(cluster.workers[0].port)
    async with guest(cluster.url, seconds=5.0) as alice:
        room_id = await alice.open_room()
        client = PATHS[path](cluster, alice, room_id, told.said)
        await client.come()
        client.send()
        await asyncio.to_thread(wait_until, lambda: told.id in cluster.models.held(), "the gate to be reached")
        await asyncio.to_thread(cluster.workers[0].kill9)
        cluster.models.let_go([told.id])
        assert (await client.over()).text == told.text
        await client.leave()
        (stored,) = cluster.rows.answers(room_id)
        assert (stored.text, stored.status, stored.attempt) == (told.text, "complete", 2)
        assert cluster.models.calls()[told.behaviour] == 2


async def test_the_front_door_passes_over_a_worker_that_stands_still(cluster: Cluster) -> None:
    cluster.workers[0].pause()
    try:
        await asyncio.to_thread(wait_until, lambda: not cluster.front.is_well(cluster.workers[0].port), "the check")
        for _ in range(4):
            async with guest(cluster.url, seconds=3.0) as alice:
                await alice.open_room()
    finally:
        cluster.workers[0].go_on()
