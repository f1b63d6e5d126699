"""A load test at a real server's doors: every way, what breaks on the way, what is left, and Ctrl-C on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from streaming.loadtest.crowd import Crowd
from streaming.loadtest.findings import Findings
from streaming.loadtest.model_server import ModelServer
from streaming.loadtest.plan import NoLoadTest, Plan, tail_of
from streaming.loadtest.tails import Lognormal
from streaming.local_model.supervisor import free_port
from tests import faultproxy
from tests.faults.rows import Rows
from tests.live import ROOT, LiveServer
from tests.live_databases import LiveDatabases
from tests.waiting import until

GUESTS = 60
MODEL_PORT = free_port()
END_SECONDS = 90.0
QUICK = ["--think", "0", "--ramp-seconds", "0", "--model-port", str(MODEL_PORT)]


@pytest.fixture(autouse=True)
def _no_connection_left_behind() -> None:
    """The server's database is its own: this process needs none."""


@pytest.fixture(scope="module")
def server(live_databases: LiveDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("loadtest") / "server"
    live = LiveServer(folder, env={
        "DATABASE_URL": live_databases.copy("sqlite", folder), "CHAT_GUESTS_PER_HOUR": str(GUESTS),
        "PROVIDER_BASE_URL": f"http://127.0.0.1:{MODEL_PORT}/v1", "PROVIDER_MODEL": "simulated",
    })
    live.start()
    yield live
    live.end()


def plan(url: str, **fields: Any) -> Plan:
    wanted: dict[str, Any] = {
        "url": url, "users": 2, "seconds": 30.0, "messages": 6, "ramp_seconds": 0.0, "think": Lognormal(0, 0),
        "way": "socket", "character": "", "drain_seconds": 20.0, "seed": 1,
    }
    return Plan(**{**wanted, **fields})


def a_model(tail: str = "0.05,0.2", answer: str = "20,200") -> ModelServer:
    return ModelServer(tail_of(tail, answer), seed=1)


async def found(plan: Plan, model: ModelServer) -> Findings:
    crowd = Crowd(plan, model)
    async with model.serving("127.0.0.1", MODEL_PORT):
        await crowd.run()
    return crowd.findings


@pytest.mark.parametrize(("way", "path"), [("socket", "stream"), ("sse", "sse"), ("completed", "fallback")])
async def test_by_every_way_every_end_is_verified(server: LiveServer, way: Any, path: str) -> None:
    findings = await found(plan(server.url, way=way), a_model("0.06,0.06"))
    assert [(send.path, send.outcome, send.failure) for send in findings.sends] == [(path, "done", "")] * 6
    assert (findings.verified, findings.mismatched, findings.unfinished, findings.troubles) == (6, 0, 0, {})
    whole = findings.kpis()
    assert whole is not None
    assert whole.ttft is not None
    assert whole.completion is not None
    # The simulated model's own first words are in it.
    assert 50 < whole.ttft.p50 <= whole.completion.p50


async def test_who_loses_the_socket_midway_comes_back_and_has_every_character(server: LiveServer) -> None:
    model = a_model(answer="60,40")
    with faultproxy.running(int(server.url.rsplit(":", 1)[1])) as proxy:
        crowd = Crowd(plan(proxy.url, messages=4), model)

        def read_by_both() -> bool:
            return sum("first_chunk" in send.marks for send in crowd.running) == 2

        async def cut() -> None:
            await until(read_by_both, "both to read")
            proxy.reset()

        async with model.serving("127.0.0.1", MODEL_PORT):
            await asyncio.gather(crowd.run(), cut())
    findings = crowd.findings
    assert (findings.verified, findings.mismatched, len(findings.sends)) == (4, 0, 4)
    assert sum(findings.closes.values()) == findings.resumed == 2
    await until(lambda: marked_traces(server) >= 4, "traces that are known for a load test's")


async def test_a_deployment_that_asks_another_model_is_noticed(server: LiveServer) -> None:
    other, model = a_model(), a_model()
    async with other.serving("127.0.0.1", MODEL_PORT), model.serving("127.0.0.1", 0):
        with pytest.raises(NoLoadTest, match="does not ask the simulated model: start it with PROVIDER_BASE_URL="):
            await Crowd(plan(server.url), model).run()


async def test_the_setting_to_raise_is_named_when_no_more_guests_come_in(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # From an address of its own: guests are counted by address, and the other tests' have to come in.
    monkeypatch.setattr(aiohttp, "TCPConnector", partial(aiohttp.TCPConnector, local_addr=("127.0.0.2", 0)))
    with pytest.raises(NoLoadTest, match=r"\d+ of 61 came in; .* raise CHAT_GUESTS_PER_HOUR there"):
        await Crowd(plan(server.url, users=GUESTS + 1)).run()


async def test_another_site_is_noticed() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app, port = web.Application(), free_port()
    app.router.add_get("/chat/characters", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    with pytest.raises(NoLoadTest, match=r"answers \(200\), but not as a Soksak"):
        await Crowd(plan(f"http://127.0.0.1:{port}")).run()
    await runner.cleanup()


class TestCommand:
    """As an operator runs it, beside the deployment: with its environment, in a process of its own."""

    def test_figures_for_programs_fail_when_open_and_nothing_is_left(self, server: LiveServer) -> None:
        before = users_left(server)
        tail = ["--tail", "0.05,0.2", "--answer", "20,200"]
        done = command(server, "--users", "3", "--messages", "9", *tail, "--json", "--require")
        told = json.loads(done.stdout)
        assert (told["all"]["counts"]["sends"], told["verified"], told["mismatched"]) == (9, 9, 0)
        assert told["all"]["verdicts"] == {"K1": "open", "K2": "open", "K3": "open"}
        assert (done.returncode, "Not met: K1 open, K2 open, K3 open." in done.stderr) == (1, True)
        assert "Deleted: 3 guests and 3 rooms." in done.stderr
        assert users_left(server) == before

    def test_ctrl_c_ends_it_well_and_tells_what_there_is(self, server: LiveServer) -> None:
        with terminal(server, "--users", "2", "--tail", "0.05,0.2", "--answer", "20,100") as screen:
            screen.wait_for(r"2 users · [1-9]\d* sends")
            screen.press_ctrl_c()
            screen.wait_for("Nothing more is sent")
            assert screen.exit_code() == 130
        assert re.search(r"K1 first words .*\d+/\d+", screen.text)
        assert "Deleted: 2 guests" in screen.text

    def test_ctrl_c_again_ends_it_at_once(self, server: LiveServer) -> None:
        with terminal(server, "--users", "2", "--tail", "1,2,100") as screen:
            screen.wait_for("2 running")
            screen.press_ctrl_c()
            screen.wait_for("Nothing more is sent")
            pressed_at = time.monotonic()
            screen.press_ctrl_c()
            assert screen.exit_code() == 130
            assert time.monotonic() - pressed_at < 5
        assert "Ended at once" in screen.text
        assert "K1" not in screen.text
        assert users_left(server) >= 2
        assert "Deleted: " in command(server, "--clean-up").stdout
        assert users_left(server) == 0


def rows_of(server: LiveServer) -> Rows:
    return Rows(server.env["DATABASE_URL"], Path(server.env["SOKSAK_DATA_DIR"]))


def users_left(server: LiveServer) -> int:
    return rows_of(server).count("SELECT COUNT(*) FROM chat_user WHERE username LIKE 'load-%'")


def marked_traces(server: LiveServer) -> int:
    return rows_of(server).count("SELECT COUNT(*) FROM chat_trace WHERE cohort = 'load'")


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "loadtest", *arguments, *QUICK]


def command(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(*arguments), cwd=ROOT, env={**os.environ, **server.env}, capture_output=True,
        text=True, timeout=END_SECONDS, check=False,
    )


class Terminal:
    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.text = ""
        self._process = process
        self._master = master

    def wait_for(self, pattern: str) -> None:
        self._read_until(lambda: re.search(pattern, self.text))

    def press_ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def exit_code(self) -> int:
        self._read_until(lambda: self._process.poll() is not None)
        while select.select([self._master], [], [], 0)[0] and self._read():
            pass
        return self._process.wait()

    def _read_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + END_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.text
            if select.select([self._master], [], [], 0.1)[0]:
                self._read()

    def _read(self) -> bool:
        with suppress(OSError):
            data = os.read(self._master, 65536)
            self.text += data.decode(errors="replace")
            return bool(data)
        return False


@contextmanager
def terminal(server: LiveServer, *arguments: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command_line(*arguments), cwd=ROOT, env={**os.environ, **server.env}, stdout=slave, stderr=slave, stdin=slave,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
