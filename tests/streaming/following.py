"""Waits for a run: that there is one, and that it has come so far."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from streaming.engine import Engine
from streaming.run import Run


async def begun(engine: Engine) -> Run:
    """The one run, as soon as there is one."""
    for run in engine.runner.runs():
        return run
    present: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
    with patch.object(engine.hub, "present", present.set_result):
        return await present


class Follower:
    """Waits for a run to move."""

    def __init__(self) -> None:
        self.moved = asyncio.Event()

    def post(self, frame: str) -> None:
        raise AssertionError("nothing but events is told here")

    def run_moved(self) -> None:
        self.moved.set()


async def reached(run: Run, seq: int) -> None:
    follower = Follower()
    run.follow(follower)
    while run.seq < seq:
        await follower.moved.wait()
        follower.moved.clear()
