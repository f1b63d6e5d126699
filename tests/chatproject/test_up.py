"""`manage.py up`: what it prepares, what it says, and that everything it started ends with it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from chat.models import User
from chatproject.launch.administrator import create_first_administrator
from chatproject.launch.announce import click_url
from tests import services
from tests.live import LiveServer
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.timeout(180)


class Up:
    """A running `manage.py up` and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], port: int, log: Path) -> None:
        self.process, self.port, self._log = process, port, log
        self.url = f"http://127.0.0.1:{port}/"

    def said(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process.poll() is None, self.said()
            return f"Soksak is ready: http://localhost:{self.port}/" in self.said()

        wait_until(is_ready, "the ready line", seconds=90.0)

    def model(self) -> psutil.Process:
        [child] = psutil.Process(self.process.pid).children()
        return child


@contextmanager
def up(data_dir: Path, port: int, *arguments: str) -> Iterator[Up]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatproject.settings", "SOKSAK_DATA_DIR": str(data_dir)}
    log = data_dir.with_suffix(".log")
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), *arguments],
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True,
        )
    try:
        yield Up(process, port, log)
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.local_model
@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_first_start_prepares_everything_and_a_signal_ends_everything(
    with_signal: signal.Signals, tmp_path: Path, free_port: int
) -> None:
    with up(tmp_path / "data", free_port) as site:
        site.wait_until_ready()
        assert re.search(r"user admin, password \S{16} ", site.said())
        assert httpx.get(site.url, follow_redirects=True, timeout=30.0).status_code == 200
        model = site.model()
        site.process.send_signal(with_signal)
        assert site.process.wait(30.0) == 0
        assert not services.is_alive(model)
    with up(tmp_path / "data", free_port, "--no-model") as site:
        wait_until(lambda: site.said().count("Soksak is ready") == 2, "the second start", seconds=60.0)
        assert site.said().count(", password ") == 1


@pytest.mark.slow
@pytest.mark.local_model
def test_a_killed_site_takes_its_model_along(tmp_path: Path, free_port: int) -> None:
    with up(tmp_path / "data", free_port) as site:
        site.wait_until_ready()
        model = site.model()
        site.process.kill()
        wait_until(lambda: not services.is_alive(model), "the model's process to end")


@pytest.mark.slow
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_half_sent_request_does_not_keep_the_server_from_stopping(
    server: str, real_server: Callable[..., LiveServer]
) -> None:
    live = real_server(server=server)
    with closing(socket.create_connection(("127.0.0.1", live.port))) as half_open:
        half_open.sendall(b"POST /chat/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        httpx.get(f"{live.url}/healthz", timeout=30.0)
        assert live.terminate() in (0, -signal.SIGTERM)
    assert "engine_stopped" in live.log_text()
    assert "KeyError" not in live.log_text()


@pytest.mark.data
@pytest.mark.django_db
def test_the_first_administrator_is_made_once_and_never_with_a_default_password() -> None:
    User.objects.create_user("admin", password="somebody signed up with this name")
    made = create_first_administrator()
    assert made is not None
    username, password = made
    assert username.startswith("admin-")
    user = User.objects.get(username=username)
    assert user.is_superuser
    assert user.check_password(password)
    assert create_first_administrator() is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:1/"), ("10.0.0.5", "http://10.0.0.5:1/"),
        ("::", "http://localhost:1/"), ("fd00::1", "http://[fd00::1]:1/"),
    ],
)
def test_the_line_to_click_names_a_host_a_browser_can_reach(host: str, url: str) -> None:
    assert click_url(host, 1) == url
