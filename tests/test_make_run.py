"""A new machine's way in: clone, `make run`, a page; Ctrl-C, and nothing is left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests import services
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
READY = re.compile(r"Soksak is ready: (\S+)")
#: The packages come from a registry, or from a cache of it.
INSTALL_SECONDS = 240.0
#: What a developer's shell and this run have set; a new machine has none of it.
NOT_ON_A_NEW_MACHINE = ("SOKSAK_", "DJANGO_", "SECRET_KEY", "PYTEST_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "LOG_LEVEL")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The commit that is checked out, without .venv and .var; files changed since are not in it."""
    target = tmp_path / "soksak"
    # Where git does not trust the owner of this folder, the clone is told to.
    trusting = ["git", "-c", f"safe.directory={ROOT}", "-c", f"safe.directory={ROOT / '.git'}"]
    subprocess.run([*trusting, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)], check=True)
    return target


@pytest.fixture
def new_machine() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_ON_A_NEW_MACHINE)}


@pytest.fixture
def make_run(clone: Path, new_machine: dict[str, str], free_port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = clone.parent / "make.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={free_port}"],
            cwd=clone, env=new_machine, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.local_model
def test_make_run_takes_a_clone_to_a_page_and_back(
    make_run: subprocess.Popen[bytes], clone: Path, free_port: int
) -> None:
    log = clone.parent / "make.log"

    def is_ready() -> bool:
        assert make_run.poll() is None, log.read_text()
        return READY.search(log.read_text()) is not None

    wait_until(is_ready, "the ready line", seconds=INSTALL_SECONDS)
    ready = READY.search(log.read_text())
    assert ready is not None
    assert ready[1] == f"http://localhost:{free_port}/"
    page = httpx.get(f"http://127.0.0.1:{free_port}/", follow_redirects=True, timeout=30.0)
    assert page.status_code == 200
    family = psutil.Process(make_run.pid).children(recursive=True)
    assert len(family) >= 2, "the site and the model's process"
    make_run.terminate()
    make_run.wait(60.0)
    wait_until(lambda: not any(map(services.is_alive, family)), "every process to end")
    assert "Traceback" not in log.read_text()


#: A stand-in for an old interpreter: this one, under another number.
OLD_PYTHON = """#!/bin/sh
exec {python} -c '
import runpy, sys
sys.version_info, sys.argv = (3, 10, 13), sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""


def test_a_python_that_is_too_old_is_one_sentence(clone: Path, tmp_path: Path, new_machine: dict[str, str]) -> None:
    old = tmp_path / "python3.10"
    old.write_text(OLD_PYTHON.format(python=sys.executable))
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={old}"], cwd=clone, env=new_machine, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert re.match(r"Soksak needs Python 3\.11 or newer; \S+ is 3\.10\.\n", done.stderr)
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


def test_no_python_at_all_is_one_sentence(clone: Path, tmp_path: Path, new_machine: dict[str, str]) -> None:
    make, shell = shutil.which("make"), shutil.which("sh")
    assert make
    assert shell
    (tmp_path / "sh").symlink_to(shell)
    env = {**new_machine, "PATH": str(tmp_path)}
    done = subprocess.run([make, "run"], cwd=clone, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Soksak needs Python 3.11 or newer, and there is none on PATH.\n")
