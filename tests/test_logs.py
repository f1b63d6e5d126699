"""Lines of the log, as a process of its own writes them: ours and the libraries' alike."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest

LINES = """
import logging
import structlog
from chat.log_fields import known_too
from chatproject.logs import configure
configure({"level": "INFO", "json": %s})
ours = structlog.get_logger("ours")
with known_too({"requestId": "r-1"}):
    ours.info("answer", marks={"accepted": 1.5}, roomId="속삭")
    logging.getLogger("theirs").warning("%%d left", 3)
ours.debug("stage")
logging.getLogger("theirs").debug("details")
try:
    1 / 0
except ZeroDivisionError:
    ours.exception("crashed")
    logging.getLogger("theirs").exception("broken")
"""


def said(*, as_json: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LINES % as_json], env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True, text=True, encoding="utf-8", check=True,
    )
    return done.stderr.splitlines()


def test_as_json_ours_and_those_of_libraries_are_of_one_form_and_level() -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in said(as_json=True)]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("answer", "info"), ("3 left", "warning"), ("crashed", "error"), ("broken", "error"),
    ]
    assert lines[0] | {"timestamp": ""} == {
        "event": "answer", "level": "info", "timestamp": "", "requestId": "r-1", "roomId": "속삭",
        "marks": {"accepted": 1.5},
    }
    assert lines[1]["requestId"] == "r-1"
    assert all("ZeroDivisionError" in line["exception"] for line in lines[2:])
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_as_text_both_are_lines_to_be_read() -> None:
    lines = said(as_json=False)
    assert "answer" in lines[0]
    assert "roomId=속삭" in lines[0]
    assert "3 left" in lines[1]
    assert not any("stage" in line or "details" in line for line in lines)


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_every_level_that_logging_has_is_one_of_ours(level: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", (
            "import structlog; from chatproject.logs import configure\n"
            f"configure({{'level': '{level}', 'json': True}})\n"
            "for name in ('debug', 'info', 'warning', 'error', 'critical'): getattr(structlog.get_logger(), name)(name)"
        )],
        capture_output=True, text=True, check=True,
    )
    names = ["debug", "info", "warning", "error", "critical"]
    told = [json.loads(line)["level"] for line in done.stderr.splitlines()]
    assert told == [name for name in names if getattr(logging, name.upper()) >= getattr(logging, level)]
