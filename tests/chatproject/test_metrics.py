"""/metrics: whoever of several processes is asked answers for all of them, also for those that are gone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client import REGISTRY, Gauge
from prometheus_client.parser import text_string_to_metric_families

from chat import samples
from tests.faults.rows import Rows
from tests.faults.site import ENV
from tests.faults.visitor import guest
from tests.live import UVICORN, LiveServer
from tests.live_databases import LiveDatabases
from tests.people import request_id
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent.parent
TURNS_MOST = 40
#: Counts to four in a process that uses the folder as the product does; and says so, or dies of it.
COUNTS = """
import os, sys
from pathlib import Path
from chat import samples
samples.share(Path(sys.argv[1]))
from prometheus_client import Counter, Gauge, Histogram, generate_latest
Counter("c", "", ["word"]).labels("안녕").inc(4)
Histogram("h", "", buckets=(1.0,)).observe(0.5)
Gauge("g", "", multiprocess_mode="livesum").set(7)
if len(sys.argv) > 2 and sys.argv[2] == "fork" and not os.fork():
    Counter("child", "").inc(1)
    os._exit(0)
if len(sys.argv) > 2 and sys.argv[2] == "fork":
    os.wait()
print(generate_latest(samples.registry()).decode())
"""


def counting(folder: Path, *arguments: str) -> dict[str, float]:
    """What the next process sees, and adds to."""
    command = [sys.executable, "-c", COUNTS, str(folder), *arguments]
    return values(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def values(text: str) -> dict[str, float]:
    """By name, those of all labels added up."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def test_processes_that_are_gone_still_count_and_their_gauges_do_not(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        seen = counting(tmp_path)
        assert (seen["c_total"], seen["h_count"], seen["g"]) == (4 * number, number, 7)
    # However many there were: one file a kind of the dead, and those of the last one.
    assert len(list(tmp_path.glob("*.db"))) == 2 + 3


def test_a_forked_child_counts_for_itself(tmp_path: Path) -> None:
    seen = counting(tmp_path, "fork")
    assert (seen["c_total"], seen["child_total"], seen["g"]) == (4, 1, 7)


def test_a_pid_that_somebody_else_has_now_is_a_process_that_is_gone(tmp_path: Path) -> None:
    counting(tmp_path)
    [file] = tmp_path.glob("gauge_livesum_*.db")
    file.rename(tmp_path / f"gauge_livesum_{os.getpid()}-1.db")
    assert counting(tmp_path)["g"] == 7


def test_half_a_file_is_no_trouble(tmp_path: Path) -> None:
    counting(tmp_path)
    (tmp_path / "counter_1-1.db").write_bytes(b"\xff\x00\x00\x7f half")
    (tmp_path / "histogram_2-2.db").touch()
    assert counting(tmp_path)["c_total"] == 8


def test_a_folder_that_cannot_be_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "file" / "folder")}
    ran = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, check=False, capture_output=True, text=True
    )
    assert ran.returncode != 0
    assert "PROMETHEUS_MULTIPROC_DIR cannot be used" in ran.stderr


def test_every_gauge_says_what_it_comes_to_over_several_processes() -> None:
    gauges = [each for each in REGISTRY._collector_to_names if isinstance(each, Gauge)]
    ours = [each for each in gauges if each._name.startswith("soksak_")]
    assert len(ours) >= 10
    assert {each._name for each in ours if not each._multiprocess_mode.startswith("live")} == set()


# --- the product ----------------------------------------------------------------------------------


class Workers(LiveServer):
    """Two processes of uvicorn behind one port."""

    def __init__(self, folder: Path, database: str) -> None:
        self.samples = folder / "samples"
        env = {"DATABASE_URL": database, "PROMETHEUS_MULTIPROC_DIR": str(self.samples), **ENV}
        super().__init__(folder, server="uvicorn", env=env)
        self._arguments = [*UVICORN[:-1], "--workers", "2", UVICORN[-1]]
        Rows(database, folder).add_route("scripted", kind="scripted", options={"text": "안녕! Hello."})

    def counted(self) -> dict[int, float]:
        """Answers of each process that lives, by its own file."""
        found = {}
        for file in self.samples.glob("counter_*-*.db"):
            kept = samples.Mapped.read_all_values_from_file(str(file))
            ours = sum(value for key, value, _, _ in kept if json.loads(key)[0] == "soksak_answers")
            found[int(file.stem.split("_")[1].split("-")[0])] = ours
        return found

    def metrics(self) -> dict[str, float]:
        """Of whoever takes the connection."""
        return values(httpx.get(f"{self.url}/metrics", timeout=30.0).text)


@pytest.fixture
def workers(live_databases: LiveDatabases, tmp_path: Path) -> Callable[[], Workers]:
    folder = tmp_path / "data"
    return lambda: Workers(folder, live_databases.copy("sqlite", folder))


async def answer(url: str) -> None:
    """One turn of somebody new, by a connection of their own: any of the processes may get it."""
    async with guest(url) as visitor:
        command = {"roomId": str(await visitor.open_room()), "requestId": request_id(), "text": "hi"}
        (await visitor.complete(command)).raise_for_status()


@pytest.mark.slow
def test_two_workers_of_one_port_are_one_and_a_killed_one_counts_on(workers: Callable[[], Workers]) -> None:
    site = workers()
    site.start()
    try:
        turns = 0
        while turns < 2 or min(site.counted().values()) == 0 or len(site.counted()) < 2:
            assert turns < TURNS_MOST, f"one worker got everything: {site.counted()}"
            asyncio.run(answer(site.url))
            turns += 1
        wait_until(lambda: site.metrics().get("soksak_sends_total") == turns, "every answer to be counted")
        assert {site.metrics()["soksak_answers_total"] for _ in range(8)} == {turns}
        killed = next(iter(site.counted()))
        psutil.Process(killed).kill()
        wait_until(lambda: site.metrics() and killed not in site.counted(), "its files to be folded away")
        assert site.metrics()["soksak_answers_total"] == site.metrics()["soksak_first_words_seconds_count"] == turns
    finally:
        site.end()
