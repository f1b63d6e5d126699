"""A browser is found, or installed where that is allowed, or its absence is said aloud."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import chromium

APT_GET = """#!/bin/sh
case "$*" in
  *update) ;;
  *" install "*"fonts-nanum {name}") printf '' > {folder}/{name}; /bin/chmod +x {folder}/{name};;
  *) exit 100;;
esac
"""


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH is one folder, without a browser and without a package manager."""
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr(chromium, "APPLICATIONS", ())
    for name in ("CHROMIUM", "CI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def add_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_the_environments_choice_comes_first(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/chromium")
    assert chromium.find_chromium() == Path("/opt/chromium")


@pytest.mark.parametrize("name", ["chromium-headless-shell", "chromium"])
def test_root_has_the_one_that_there_is_installed_with_a_korean_font(
    name: str, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add_program(bare_machine, "apt-get", APT_GET.format(folder=bare_machine, name=name))
    assert chromium.main() == 0
    assert chromium.find_chromium() == bare_machine / name


def test_others_have_it_installed_when_sudo_asks_no_password(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program(bare_machine, "apt-get", APT_GET.format(folder=bare_machine, name="chromium"))
    add_program(bare_machine, "sudo", '#!/bin/sh\n[ "$1" = --non-interactive ] && shift && exec "$@"\n')
    assert chromium.main() == 0
    assert chromium.find_chromium() is not None


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_its_absence_is_said_and_in_ci_a_failure(
    ci: str, code: int, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    assert chromium.main() == code
    assert "NOT RUN: the browser tests" in capsys.readouterr().err
