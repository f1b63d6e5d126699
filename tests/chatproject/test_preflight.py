"""What keeps a start from succeeding is one clear sentence and exit code 2, never a traceback."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from chatproject.launch import bootstrap, preflight

ROOT = Path(__file__).parent.parent.parent


class Version(NamedTuple):
    major: int
    minor: int


@pytest.fixture
def taken_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


def up(data_dir: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatproject.settings", "SOKSAK_DATA_DIR": str(data_dir), **environ}
    command = [sys.executable, "manage.py", "up", "--no-admin", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named_with_another_to_choose(tmp_path: Path, taken_port: int) -> None:
    done = up(tmp_path, "--port", str(taken_port))
    assert_refused(done, f"Port {taken_port} is taken by another program: choose a free one")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "file").touch()
    done = up(tmp_path / "file" / "data", "--port", str(free_port))
    assert_refused(done, f"Soksak cannot write to {tmp_path / 'file' / 'data'}")


def test_a_second_site_on_the_same_data_is_refused(tmp_path: Path, free_port: int) -> None:
    with (tmp_path / "up.lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        done = up(tmp_path, "--port", str(free_port))
    assert_refused(done, f"Soksak already runs on the data in {tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_another_user_is_named(tmp_path: Path, free_port: int) -> None:
    tmp_path.chmod(0o500)
    assert_refused(up(tmp_path, "--port", str(free_port)), f"Soksak cannot write to {tmp_path}")


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "８０００"])
def test_what_is_no_port_is_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(preflight.Refusal, match="PORT must be a number from 1 to 65535"):
        preflight.parse_port(port)


def test_a_foreign_address_is_refused(free_port: int) -> None:
    with pytest.raises(preflight.Refusal, match=r"HOST=192\.0\.2\.1 is not an address of this machine"):
        preflight.require_free("192.0.2.1", free_port)


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, 10))
    with pytest.raises(preflight.Refusal, match=r"needs Python 3\.11 or newer; .* is 3\.10"):
        preflight.require_python()
    with pytest.raises(bootstrap.Refusal, match=r"needs Python 3\.11 or newer; .* is 3\.10"):
        bootstrap.require_python()


def test_half_a_route_is_refused_by_the_name_of_its_variable(tmp_path: Path, free_port: int) -> None:
    done = up(tmp_path, "--port", str(free_port), PROVIDER_BASE_URL="http://127.0.0.1:9/v1")
    assert_refused(done, "PROVIDER_MODEL is not set")


def test_a_database_that_does_not_answer_is_named(tmp_path: Path, free_port: int) -> None:
    url = "postgres://postgres@127.0.0.1:9/none"
    done = up(tmp_path, "--no-model", "--port", str(free_port), DATABASE_URL=url, DATABASE_POOL_TIMEOUT_SECONDS="2")
    assert_refused(done, "The database cannot be used:")
