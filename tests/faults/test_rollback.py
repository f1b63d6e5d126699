"""The gate of a real server, as it runs by itself: from evidence that suffices to the rollback."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests import celery_worker
from tests.faults.conftest import OpenSite
from tests.faults.manage import manage
from tests.faults.site import Site, Stack
from tests.faults.visitor import guest, say
from tests.waiting import until, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MOST_SECONDS = 60.0
#: What the alarms and the roll-ups cannot do without: neither goes on while somebody has these.
SLOW_TABLES = ("chat_alarmincident", "chat_kpirollup")
WORKER = "the Celery worker"


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The one where threads do everything: no worker, no beat."""
    return "daphne", "sqlite"


async def test_within_a_minute_nobody_is_streamed_to_any_more(open_site: OpenSite) -> None:
    site = open_site()
    await watched(site)
    await rolls_back(site)


@pytest.mark.postgres
@pytest.mark.parametrize("stack", [("uvicorn", "postgres")])
async def test_nor_while_the_other_jobs_of_the_only_process_stand_still(open_site: OpenSite) -> None:
    site = open_site()
    await watched(site)
    with site.rows.locked(*SLOW_TABLES):
        await stands_still(site, {""})
        await rolls_back(site)
        assert site.rows.waiting() == {""}


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("stack", [("uvicorn", "postgres")])
async def test_nor_while_the_worker_and_the_other_jobs_of_the_web_process_stand_still(
    open_site: OpenSite, redis_url: str, tmp_path: Path
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    # The stuck task is not ended meanwhile, by its time limit: the worker would be free to look.
    site = open_site(REDIS_URL=redis_url, OUTBOX_LEASE_SECONDS="600")
    with worker_and_beat(site, tmp_path):
        await watched(site)
        with site.rows.locked(*SLOW_TABLES):
            await stands_still(site, {"", WORKER})
            await rolls_back(site)
            assert site.rows.waiting() == {"", WORKER}


async def watched(site: Site) -> None:
    """Everybody is streamed to, and from now on somebody watches."""
    await asyncio.to_thread(manage, site.server, "rollout", "hold", "--why", "to look at it")


async def stands_still(site: Site, whose: set[str]) -> None:
    """Whoever there is has begun something slow; the gate is not due sooner for it."""
    await asyncio.to_thread(site.rows.make_late, "alarms", "kpi_rollups")
    await until(lambda: site.rows.waiting() == whose, "the slow jobs to stand still", seconds=MOST_SECONDS)


async def rolls_back(site: Site) -> None:
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        for _ in range(6):
            # There is no model at all: every send fails, at once.
            assert (await alice.complete(say(room_id, "Hello?"))).status_code == 502
    failed_at = time.monotonic()
    await asyncio.to_thread(
        wait_until, lambda: site.rows.decided_by("gate"), "the gate", seconds=MOST_SECONDS,
    )
    ((action, stage, why),) = site.rows.decided_by("gate")
    assert (action, stage) == ("rollback", 0)
    # The first of the reasons, though who failed has seen no words either. A look may have come between two of them.
    assert re.search(r"\b([1-6]) of \1 sends failed", why)
    print(f"{time.monotonic() - failed_at:.0f} s from the last failure to the rollback")
    assert '"stage": 0' in await asyncio.to_thread(manage, site.server, "rollout", "status", "--json")


@contextmanager
def worker_and_beat(site: Site, folder: Path) -> Iterator[None]:
    """As the runbook starts them, but one thing at a time."""
    named = f"{site.server.env['DATABASE_URL']}?application_name={WORKER.replace(' ', '%20')}"
    environment = {**os.environ, **site.server.env, "DATABASE_URL": named}
    with celery_worker.starting(environment, folder) as start:
        start("--beat", f"--schedule={folder / 'beat'}")
        yield
