"""The faults as deeds. Each enters with the line to Postgres standing still and makes it flow; leaving repairs.

On entering the fault strikes; then the answers go on and end; on leaving, what was broken is mended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import redis

from tests.faultproxy import FaultProxy
from tests.faults.cells import Moment
from tests.faults.incident import OTHER, VICTIM, Incident
from tests.waiting import PERIOD_SECONDS, wait_until

Strike = Callable[[Incident], AbstractAsyncContextManager[None]]
CLAIM_SECONDS = 12.0
SKEW_SECONDS = 3600.0
#: How long a lease is pushed back again and again: its owner renews it meanwhile.
SKEWED_SECONDS = 3.0


@asynccontextmanager
async def worker_killed(incident: Incident) -> AsyncIterator[None]:
    await asyncio.to_thread(incident.cluster.workers[VICTIM].kill9)
    _go_on(incident)
    yield


@asynccontextmanager
async def worker_told_to_end(incident: Incident) -> AsyncIterator[None]:
    ending = asyncio.create_task(asyncio.to_thread(incident.cluster.workers[VICTIM].terminate))
    _go_on(incident)
    yield
    await ending


@asynccontextmanager
async def worker_a_zombie(incident: Incident) -> AsyncIterator[None]:
    worker = incident.cluster.workers[VICTIM]
    worker.pause()
    try:
        _go_on(incident)
        await asyncio.to_thread(wait_until, lambda: _claimed(incident), "the takeover", seconds=CLAIM_SECONDS)
    finally:
        worker.go_on()
    yield


def _claimed(incident: Incident) -> bool:
    rows = incident.cluster.rows
    running = incident.at(*(moment for moment in Moment if moment is not Moment.BEFORE_ACCEPT))
    return all(rows.answers(conversation.room_id)[0].attempt > 1 for conversation in running)


def _client_line(act: Callable[[FaultProxy], None]) -> Strike:
    @asynccontextmanager
    async def strike(incident: Incident) -> AsyncIterator[None]:
        act(incident.cluster.front)
        _go_on(incident)
        yield

    return strike


def _model(trouble: str) -> Strike:
    @asynccontextmanager
    async def strike(incident: Incident) -> AsyncIterator[None]:
        _go_on(incident)
        incident.trouble = trouble
        yield

    return strike


@asynccontextmanager
async def redis_killed(incident: Incident) -> AsyncIterator[None]:
    await asyncio.to_thread(incident.cluster.redis.kill9)
    _go_on(incident)
    yield
    await asyncio.to_thread(incident.cluster.redis.start)


@asynccontextmanager
async def redis_stalled(incident: Incident) -> AsyncIterator[None]:
    incident.cluster.redis.pause()
    try:
        _go_on(incident)
        yield
    finally:
        incident.cluster.redis.go_on()


@asynccontextmanager
async def redis_flushed(incident: Incident) -> AsyncIterator[None]:
    await asyncio.to_thread(incident.cluster.flush_redis)
    _go_on(incident)
    yield


@asynccontextmanager
async def redis_failed_over(incident: Incident) -> AsyncIterator[None]:
    await asyncio.to_thread(_lose_tails, incident.cluster.redis.port)
    incident.cluster.redis_line.reset()
    _go_on(incident)
    yield


def _lose_tails(port: int) -> None:
    """As a replica that had not got them: entries and the streams' own last ids."""
    with redis.Redis(port=port) as client:
        for key in client.keys("soksak:run:*"):
            ids = [identifier for identifier, _ in client.xrange(key)]
            kept, lost = ids[: (len(ids) + 1) // 2], ids[(len(ids) + 1) // 2 :]
            if lost:
                client.xdel(key, *lost)
                client.execute_command("XSETID", key, kept[-1])


@asynccontextmanager
async def postgres_restarted(incident: Incident) -> AsyncIterator[None]:
    assert incident.cluster.postgres is not None
    restarting = asyncio.create_task(asyncio.to_thread(incident.cluster.postgres.restart))
    _go_on(incident)
    yield
    await restarting


@asynccontextmanager
async def sent_twice(incident: Incident) -> AsyncIterator[None]:
    await incident.repeat(VICTIM, by_another_door=True)
    yield


@asynccontextmanager
async def two_workers_racing(incident: Incident) -> AsyncIterator[None]:
    await incident.repeat(OTHER, by_another_door=False)
    yield


@asynccontextmanager
async def lease_jumps_back(incident: Incident) -> AsyncIterator[None]:
    _go_on(incident)
    await asyncio.to_thread(_push_back, incident)
    yield


def _push_back(incident: Incident) -> None:
    until = time.monotonic() + SKEWED_SECONDS
    while time.monotonic() < until and not _claimed(incident):
        incident.cluster.rows.shift_leases(f"machine-{VICTIM}", -SKEW_SECONDS)
        time.sleep(PERIOD_SECONDS)


@asynccontextmanager
async def lease_jumps_ahead(incident: Incident) -> AsyncIterator[None]:
    incident.cluster.rows.shift_leases(f"machine-{VICTIM}", SKEW_SECONDS)
    await asyncio.to_thread(incident.cluster.workers[VICTIM].kill9)
    _go_on(incident)
    yield


def _go_on(incident: Incident) -> None:
    """Postgres can be reached, and every worker may be."""
    incident.cluster.front.prefer()
    incident.cluster.database_line.flow()


STRIKES: dict[str, Strike] = {
    "worker killed": worker_killed,
    "worker told to end": worker_told_to_end,
    "worker a zombie": worker_a_zombie,
    "line cut": _client_line(FaultProxy.reset),
    "line frozen": _client_line(FaultProxy.freeze),
    "line half-open": _client_line(FaultProxy.lose_server),
    "model cut": _model("cut"),
    "model stalled": _model("hang"),
    "model talks garbage": _model("garbage"),
    "Redis killed": redis_killed,
    "Redis stalled": redis_stalled,
    "Redis flushed": redis_flushed,
    "Redis failed over": redis_failed_over,
    "Postgres restarted": postgres_restarted,
    "sent twice": sent_twice,
    "two workers racing": two_workers_racing,
    "lease jumps back": lease_jumps_back,
    "lease jumps ahead": lease_jumps_ahead,
}
