"""An operator moves the rollout or turns the switch: processes and open pages follow, and nothing breaks off."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Request, WebSocket

from tests.browser.conftest import Visit
from tests.browser.person import Person, shown
from tests.faults.manage import manage
from tests.faults.rows import Rows
from tests.faults.script import script
from tests.faults.site import ENV, Site
from tests.live import LiveServer
from tests.live_databases import LiveDatabases
from tests.provider_server import RunningServer
from tests.service_base import Unavailable
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: The promise, and what a machine that is doing other things is forgiven: then the test has told already.
MOST_SECONDS, PATIENCE_SECONDS = 5.0, 20.0


@dataclass(frozen=True, slots=True)
class Installation:
    """Processes that have one database, and nothing else in common unless they have Redis."""

    servers: Sequence[LiveServer]
    models: RunningServer
    rows: Rows

    def manage(self, *command: str) -> str:
        return manage(self.servers[0], *command)


@pytest.fixture(params=[
    pytest.param("with Redis", marks=[pytest.mark.postgres, pytest.mark.redis]),
    pytest.param("without Redis", marks=pytest.mark.postgres),
])
def installation(
    request: pytest.FixtureRequest, models: RunningServer, live_databases: LiveDatabases, tmp_path: Path
) -> Iterator[Installation]:
    # What a process remembers, it remembers for as long as in earnest.
    env = {**ENV, "ROUTES_CACHE_SECONDS": "2"}
    if request.param == "with Redis":
        env["REDIS_URL"] = request.getfixturevalue("redis_url")
    try:
        env["DATABASE_URL"] = live_databases.copy("postgres", tmp_path / "data")
    except Unavailable as error:
        pytest.skip(str(error))
    env["SOKSAK_DATA_DIR"] = str(tmp_path / "data")
    rows = Rows(env["DATABASE_URL"], tmp_path)
    rows.add_route("directed", model="directed", base_url=models.openai_url)
    servers = [LiveServer(tmp_path / f"machine-{n}", server="uvicorn", env=env, host_name=f"m{n}") for n in range(2)]
    for server in servers:
        server.start()
    yield Installation(servers, models, rows)
    for server in servers:
        server.end()
        print(server.log_text()[-2000:])


class Watched:
    """Somebody whose open page notes what path it is told to take, and by which door it sends."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.told: list[tuple[float, str]] = []
        self.posts = 0
        person.page.on("websocket", self._opened)
        person.page.on("request", self._asked)

    def open(self) -> UUID:
        room_id = self.person.open_room()
        self.person.page.evaluate("window.isTheSamePage = true")
        return room_id

    def hears(self, path: str) -> float:
        """When; and the page has not been loaded again."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not self.told or self.told[-1][1] != path:
            assert time.monotonic() < patience, f"was not told of {path}: {self.told}"
            self.person.page.wait_for_timeout(20)
        assert self.person.page.evaluate("window.isTheSamePage")
        return self.told[-1][0]

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._heard)

    def _heard(self, frame: str | bytes) -> None:
        if '"type":"path_changed"' in str(frame):
            self.told.append((time.time(), "completed" if '"completed"' in str(frame) else "stream"))

    def _asked(self, request: Request) -> None:
        self.posts += request.method == "POST" and request.url.endswith("/chat/messages")


def test_a_change_reaches_every_process_and_open_page_and_running_answers_finish(
    installation: Installation, visit: Visit
) -> None:
    told = script(6, 60, "rate-200", "gate-after-20")
    rows = installation.rows
    pages = [Watched(visit(server.url)) for server in installation.servers]
    alice, bob = pages
    rooms = [alice.open(), bob.open()]
    alice.person.say(told.said)
    assert alice.person.sees_words() != shown(told.text)
    # Nobody is streamed to any more: both pages know, whichever process they are at.
    installation.manage("rollout", "rollback", "--why", "a drill")
    delays = [watched.hears("completed") - rows.decided_at() for watched in pages]
    bob.person.say(script(7, 20).said)
    bob.person.sees_answer("complete")
    # What was being written is finished as it was begun.
    installation.models.let_go([told.id])
    alice.person.sees_answer("complete")
    assert shown(told.text) == alice.person.text_of(alice.person.last)
    assert [[answer.path for answer in rows.answers(room)] for room in rooms] == [["stream"], ["completed"]]
    # And on again; then off by the switch, as in the admin.
    installation.manage("rollout", "promote", "--to", "4", "--force", "--why", "the drill is over")
    delays += [watched.hears("stream") - rows.decided_at() for watched in pages]
    bob.person.say(script(8, 20).said)
    bob.person.sees_answer("complete")
    installation.manage("waffle_switch", "chat_streaming", "off")
    delays += [watched.hears("completed") - rows.switched_at() for watched in pages]
    assert [answer.path for answer in rows.answers(rooms[1])] == ["completed", "stream"]
    assert (alice.posts, bob.posts) == (0, 1)
    print("seconds from the change to the open page:", [f"{delay:.1f}" for delay in delays])
    assert max(delays) <= MOST_SECONDS


def test_the_control_cohort_takes_the_completed_path_and_k4_is_a_difference(
    site: Site, models: RunningServer, visit: Visit
) -> None:
    site.rows.add_route("directed", model="directed", base_url=models.openai_url)
    manage(site.server, "rollout", "rollback", "--to", "3", "--why", "an experiment")
    cohorts: dict[str, tuple[Watched, UUID]] = {}
    while cohorts.keys() != {"stream", "control"}:
        reader = Watched(visit(site.url))
        room_id = reader.open()
        reader.person.say(script(9, 20).said)
        reader.person.sees_answer("complete")
        trace = traced(site, room_id, 1)
        cohorts[trace["cohort"]] = reader, room_id
        # Both with what their own browser saw of it, up to the end.
        assert (trace["stage"], trace["outcome"], trace["ttft_source"]) == (3, "done", "browser")
        assert trace["path"] == {"stream": "stream", "control": "completed"}[trace["cohort"]]
        assert reader.posts == (trace["cohort"] == "control")
        assert {"click", "sent", "first_paint", "end"} - trace["client_marks"].keys() <= {"sent"}
    # Who waits for the whole goes away; who has words to read stays.
    held = {"stream": script(10, 60, "gate-after-20"), "control": script(10, 60, "gate-ask")}
    for cohort, told in held.items():
        cohorts[cohort][0].person.say(told.said)
    assert cohorts["stream"][0].person.sees_words()
    wait_until(lambda: {told.id for told in held.values()} <= set(models.held()), "both answers to be on their way")
    cohorts["control"][0].person.page.goto("about:blank")
    wait_until(lambda: len(site.rows.traces(cohorts["control"][1])) == 2, "the beacon")
    models.let_go([told.id for told in held.values()])
    cohorts["stream"][0].person.sees_answer("complete")
    assert [traced(site, cohorts[name][1], 2)["abandoned"] for name in ("stream", "control")] == ["", "before_words"]
    printed = manage(site.server, "kpi", "--days", "1")
    assert "path=completed cohort=control" in printed
    assert re.search(
        r"K4: left while waiting: streamed 0 of \d+ .*, control 1 of \d+ .*; difference -\d.*% \[-.*%, .*%\], "
        r".*% \[.*%, .*%\] fewer: (open|met)\.", printed,
    ), printed


def traced(site: Site, room_id: UUID, count: int) -> dict[str, Any]:
    """The room's newest trace, once there are so many and both sides have told of it."""

    def are_there() -> bool:
        found = site.rows.traces(room_id)
        return len(found) == count and bool(found[-1]["outcome"] and found[-1]["client_marks"])

    wait_until(are_there, "the trace")
    return site.rows.traces(room_id)[-1]
