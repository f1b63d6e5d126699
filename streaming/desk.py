"""What is written after answers have ended, gathered for about a second: traces, and the release of deferred work.

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
from streaming.latecomers import Unread

GATHER_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Desk:
    def __init__(self) -> None:
        #: messageId → set once its trace is there to be changed.
        self._ended: dict[UUID, asyncio.Event] = {}
        #: One writes at a time: else a trace that another still writes would be called written.
        self._writing = asyncio.Lock()

    def put(self, unread: Unread, make: Callable[[], Trace]) -> None:
        """An answer has ended; its trace is made where and when it is written."""
        traces.keep(unread.user_id, unread.request_id, make)
        self._ended[unread.message_id] = unread.is_written

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self.flush()
            except Exception:
                # A fault of ours costs these traces, not all that will follow.
                log.exception("desk_crashed")

    async def flush(self) -> None:
        """Write what has gathered."""
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
