"""Every fault on every path at every moment: the same text everywhere, one message, one answer, an end in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.cells import FAULTS, NOT_PASSING_YET, ON_DAPHNE, Fault
from tests.faults.cluster import Cluster, standing
from tests.faults.incident import Incident, listed
from tests.faults.strikes import STRIKES
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer
from tests.service_base import Unavailable

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.redis]


CASES = [("uvicorn", fault) for fault in FAULTS] + [("daphne", fault) for fault in FAULTS if fault.name in ON_DAPHNE]


@pytest.fixture(scope="module")
def cluster(
    request: pytest.FixtureRequest, models: RunningServer, live_databases: LiveDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("matrix")
    try:
        with standing(models, live_databases, folder, server=request.param, own_postgres=True) as cluster:
            yield cluster
    except Unavailable as error:
        pytest.skip(str(error))


def _case(server: str, fault: Fault) -> Any:
    reason = NOT_PASSING_YET.get(fault.name)
    marks = [pytest.mark.xfail(reason=reason, strict=False)] if reason else []
    name = fault.slug if server == "uvicorn" else f"{fault.slug}-{server}"
    return pytest.param(server, fault, id=name, marks=marks)


@pytest.mark.parametrize(("cluster", "fault"), [_case(*case) for case in CASES], indirect=["cluster"], scope="module")
async def test_whatever_happens_every_answer_is_whole_and_told_once(cluster: Cluster, fault: Fault) -> None:
    await asyncio.to_thread(cluster.heal)
    routes(cluster, fault.patience_seconds)
    async with Incident(cluster, fault) as incident:
        await incident.bring()
        async with STRIKES[fault.name](incident):
            incident.let_go()
            failures = await incident.failures()
        failures += await incident.untruths()
    assert not failures, f"{fault.name}: {len(failures)} failures\n{listed(failures)}"


def routes(cluster: Cluster, patience_seconds: float) -> None:
    """A first way to the model, and one to fall back to."""
    cluster.rows.drop_routes()
    patience = {"gap_seconds": patience_seconds, "first_content_seconds": patience_seconds}
    cluster.add_route("first", **patience)
    cluster.add_route("second", sort=2, **patience)
