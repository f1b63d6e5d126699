"""The gate of a real server, as it runs by itself: from evidence that suffices to the rollback."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.faults.conftest import OpenSite
from tests.faults.manage import manage
from tests.faults.site import Stack
from tests.faults.visitor import guest, say
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MOST_SECONDS = 60.0


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The one where a thread does everything: no worker, no beat."""
    return "daphne", "sqlite"


async def test_within_a_minute_nobody_is_streamed_to_any_more(open_site: OpenSite) -> None:
    site = open_site()
    # Everybody is streamed to, and from now on somebody watches.
    await asyncio.to_thread(manage, site.server, "rollout", "hold", "--why", "to look at it")
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
    # The first of the reasons, though who failed has seen no words either.
    assert "6 of 6 sends failed" in why
    print(f"{time.monotonic() - failed_at:.0f} s from the last failure to the rollback")
    assert '"stage": 0' in await asyncio.to_thread(manage, site.server, "rollout", "status", "--json")
