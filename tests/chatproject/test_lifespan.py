"""Daphne's missing half: the application hears of start and stop, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatproject.launch.lifespan import Lifespan

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def test_the_application_hears_of_start_and_stop() -> None:
    heard: list[str] = []

    async def application(scope: dict[str, object], receive: Receive, send: Send) -> None:
        for _ in range(2):
            message = await receive()
            heard.append(message["type"])
            await send({"type": f"{message['type']}.complete"})

    lifespan = Lifespan(application)
    await lifespan.start()
    await lifespan.stop()
    assert heard == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_application_that_cannot_start_says_why() -> None:
    async def application(scope: dict[str, object], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no room"})

    with pytest.raises(RuntimeError, match="no room"):
        await Lifespan(application).start()


async def test_an_application_that_never_stops_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatproject.launch.lifespan.SHUTDOWN_SECONDS", 0.01)
    cancelled = asyncio.Event()

    async def application(scope: dict[str, object], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lifespan = Lifespan(application)
    await lifespan.start()
    await lifespan.stop()
    assert cancelled.is_set()
