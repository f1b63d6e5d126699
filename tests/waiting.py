"""Waiting for something another process does and cannot tell us about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PERIOD_SECONDS = 0.02


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = 30.0) -> None:
    """Returns as soon as `condition()` is true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:g} s for: {what}")
        time.sleep(PERIOD_SECONDS)


async def until(condition: Callable[[], object], what: str, *, seconds: float = 30.0) -> None:
    """As `wait_until`, while this loop goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:g} s for: {what}")
        await asyncio.sleep(PERIOD_SECONDS)


async def settled() -> None:
    """Whoever was woken has had its say, one after the other; nothing here waits for a clock."""
    for _ in range(32):
        await asyncio.sleep(0)
