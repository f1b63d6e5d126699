"""ASGI's lifespan protocol, which daphne lacks: the application learns that the loop runs and that it is to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

logger = logging.getLogger(__name__)

Application = Callable[..., Awaitable[None]]
STARTUP_SECONDS = 30.0
#: The application's drain: it tells its sockets, checkpoints and lets go.
SHUTDOWN_SECONDS = 15.0


class Lifespan:
    def __init__(self, application: Application) -> None:
        self._application = application
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the application is up. Raises RuntimeError when it says it cannot be."""
        self._task = asyncio.create_task(self._run())
        self._inbox.put_nowait({"type": "lifespan.startup"})
        await self._said(self._started, STARTUP_SECONDS)
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        try:
            await self._said(self._stopped, SHUTDOWN_SECONDS)
        except TimeoutError:
            logger.warning("The application did not stop within %.0f s", SHUTDOWN_SECONDS)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await self._application({"type": "lifespan", "asgi": {"version": "3.0"}}, self._inbox.get, self._receive)

    async def _receive(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.failed" | "lifespan.shutdown.failed":
                raise RuntimeError(message.get("message") or "the application refused")
            case "lifespan.startup.complete":
                self._started.set()
            case "lifespan.shutdown.complete":
                self._stopped.set()

    async def _said(self, event: asyncio.Event, seconds: float) -> None:
        """Until the application said so, or ended without saying it."""
        assert self._task is not None
        said = asyncio.create_task(event.wait())
        done, _ = await asyncio.wait({said, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        said.cancel()
        if not done:
            raise TimeoutError
