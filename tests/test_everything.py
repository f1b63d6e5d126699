"""What `make test` does with its steps: side by side, each to its end, told in one piece."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import services
from tests.everything import NO_BYTECODE, Step, environment, failed_of, lanes

#: Comes to its end only where another lane makes the file.
WAIT = """import sys
from pathlib import Path
from tests.waiting import wait_until
wait_until(Path(sys.argv[1]).exists, "the file")
"""
TOUCH = "import sys; from pathlib import Path; Path(sys.argv[1]).touch()"


def step(name: str, code: str, *arguments: object) -> Step:
    return Step(name, [sys.executable, "-c", code, *map(str, arguments)])


def test_lanes_run_side_by_side_and_go_on_after_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "made by the second lane"
    failed = failed_of([
        [step("waits", WAIT, file)],
        [step("breaks", "print('why'); raise SystemExit(3)"), step("goes on", TOUCH, file)],
        [],
    ])
    assert failed == ["breaks"]
    said = capfd.readouterr().out
    assert "\n== breaks\nwhy\n== breaks: FAILED, " in said
    assert "== waits: ok" in said


def test_a_step_apart_has_servers_of_its_own_and_nothing_is_compiled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_BYTECODE, "1")
    apart = Step("apart", [], {"A": "1"}, is_apart=True)
    assert not {NO_BYTECODE, services.RUN_FOLDER, services.RUN_OWNER} & environment(apart).keys()
    assert environment(apart)["A"] == "1"
    assert environment(Step("shared", []))[services.RUN_FOLDER] == os.environ[services.RUN_FOLDER]


def test_every_check_is_in_a_lane() -> None:
    names = [step.name for lane in lanes(with_servers=True) for step in lane]
    assert names == ["Python, on SQLite", "data tests, on Postgres and Redis", "lint", "types", "browser modules"]
    assert "data tests, on Postgres and Redis" not in [step.name for lane in lanes(with_servers=False) for step in lane]
