"""What is told and written after answers have ended, gathered for two seconds: figures, log lines, traces, and the
release of deferred work.

Nobody waits for it, and losing it loses no word. A browser's report finds its trace here (chat/pending_traces.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog

from chat import outbox, traces
from chat.errors import Unavailable
from chat.models import Trace
from streaming import metrics
from streaming.database import in_database
from streaming.instrumentation import observe_ended
from streaming.latecomers import Unread

GATHER_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Desk:
    def __init__(self) -> None:
        #: messageId → set once its trace is there to be changed.
        self._ended: dict[UUID, asyncio.Event] = {}
        self._untold: list[Callable[[], None]] = []
        #: One writes at a time: else a trace that another still writes would be called written.
        self._writing = asyncio.Lock()

    def put(self, unread: Unread, *, make: Callable[[], Trace], tell: Callable[[], None]) -> None:
        """An answer has ended; its trace is made where and when it is written, and told of a moment before."""
        traces.keep(unread.user_id, unread.request_id, make)
        self._ended[unread.message_id] = unread.is_written
        self._untold.append(tell)

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self.flush()
            except Exception:
                # A fault of ours costs these traces, not all that will follow.
                log.exception("desk_crashed")

    async def flush(self) -> None:
        """Tell and write what has gathered."""
        observe_ended()
        untold, self._untold = self._untold, []
        for tell in untold:
            tell()
        async with self._writing:
            await self._flush()

    async def _flush(self) -> None:
        ended, self._ended = self._ended, {}
        if not ended:
            return
        try:
            lost = await in_database(_write, list(ended))
        except Unavailable as error:
            lost = len(ended)
            log.warning("trace_lost", traces=lost, cause=str(error))
        finally:
            for is_written in ended.values():
                is_written.set()
        metrics.TRACES_LOST.inc(lost)


def _write(message_ids: list[UUID]) -> int:
    outbox.release(*message_ids)
    return traces.write_pending()
