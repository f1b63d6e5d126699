"""A short storm: nothing is lost, doubled or changed, and every answer ends. `make storm SEED=…` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.cluster import standing
from tests.faults.storm import blow, parse
from tests.faults.storm_plan import plan
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer
from tests.service_base import Unavailable

SEED = 20
SHORT = ["--seed", str(SEED), "--conversations", "20", "--kills", "2", "--redis-faults", "1"]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.redis
async def test_a_storm_leaves_every_conversation_whole(
    models: RunningServer, live_databases: LiveDatabases, tmp_path: Path
) -> None:
    try:
        with standing(models, live_databases, tmp_path) as cluster:
            cluster.add_route("directed")
            found = await blow(cluster, parse(SHORT))
    except Unavailable as error:
        pytest.skip(str(error))
    print("\n".join(found.lines()))
    assert found.conversations == 20
    assert found.wrong == [], f"seed {SEED}"


def test_a_storm_is_its_seed() -> None:
    numbers = {"conversations": 50, "workers": 2, "kills": 5, "redis_faults": 3}
    assert plan(1, **numbers) == plan(1, **numbers) != plan(2, **numbers)
