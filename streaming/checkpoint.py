"""What survives this machine: running text in the database, written behind the readers, about once a second.

Nobody waits for it. What is fresher is in the event log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from django.conf import settings

from chat import generations
from chat.errors import Unavailable
from streaming import metrics
from streaming.database import in_database
from streaming.run import Run
from streaming.runner import Runner

#: Answers a statement: whoever sends while hundreds are written would wait for all of them.
AT_ONCE = 50

log = structlog.get_logger(__name__)


class DatabaseCheckpoint:
    """A few statements a tick for all runs that moved. `check` is asked when some of them are not ours any more."""

    def __init__(self, runner: Runner, owner: str, check: Callable[[], Awaitable[None]]) -> None:
        self._runner = runner
        self._owner = owner
        self._check = check
        self._written: dict[UUID, int] = {}

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(settings.STREAM_CHECKPOINT_SECONDS)
            try:
                await self.flush()
            except Exception:
                # A fault of ours costs this checkpoint, not all that would have followed.
                log.exception("checkpoint_crashed")

    async def flush(self) -> None:
        """Write what moved. A database that is away or full costs durability, never the text."""
        moved = [run for run in self._runner.runs() if self._has_moved(run)]
        if not moved:
            return
        try:
            for first in range(0, len(moved), AT_ONCE):
                await self._write(moved[first : first + AT_ONCE])
        except Unavailable as error:
            metrics.CHECKPOINT_FAILURES.inc()
            metrics.CHECKPOINT_LAG.set(1)
            log.warning("checkpoint_failed", runs=len(moved), cause=str(error.__cause__))
            return
        metrics.CHECKPOINT_LAG.set(0)
        alive = {run.key.message_id for run in self._runner.runs()}
        self._written = {message_id: seq for message_id, seq in self._written.items() if message_id in alive}

    # Internal

    def _has_moved(self, run: Run) -> bool:
        return not run.is_closing and run.seq != self._written.get(run.key.message_id)

    async def _write(self, runs: list[Run]) -> None:
        # Some may have ended while others were written.
        texts = [(run.key.message_id, run.text, run.seq) for run in runs if self._has_moved(run)]
        if not texts:
            return
        ours = await in_database(generations.checkpoint, self._owner, texts)
        if ours < len(texts):
            await self._check()
        self._written.update((message_id, seq) for message_id, _, seq in texts)
