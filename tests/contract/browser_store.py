"""The browser's own store, asked from Python: pages and frames in, what a reader would see out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import playwright

ROOT = Path(__file__).resolve().parents[2]


def find_node() -> str:
    """The Node that comes with Playwright, else the one on PATH."""
    bundled = Path(playwright.__file__).parent / "driver" / "node"
    found = str(bundled) if bundled.exists() else shutil.which("node")
    assert found, "There is no Node: neither Playwright's nor one on PATH."
    return found


class BrowserStore:
    """One process for many questions: tests/js/apply.mjs answers a line with a line."""

    def __init__(self) -> None:
        command = [find_node(), str(ROOT / "tests" / "js" / "apply.mjs")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def play(self, page: dict[str, Any] | None, frames: Sequence[str]) -> dict[str, Any]:
        """`messages`, `head`, `known`, and `changes` counted by kind."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"page": page, "events": [json.loads(frame) for frame in frames]}
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=10)
