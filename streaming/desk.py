"""What is told and written after answers have ended, gathered for a second or two: figures, log lines, traces, and the
release of deferred work.

Nobody waits for it, and losing it loses no word. A browser's report finds its trace here (chat/pending_traces.py).
Some at a time: a few hundred at once would be felt by every reader.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import structlog

from chat import outbox, traces
from chat.errors import Unavailable
from chat.labelled import tell_noted
from chat.models import Trace
from chat.pending_traces import Ended
from streaming import metrics
from streaming.database import in_database
from streaming.latecomers import Unread

#: A browser tells in less, unless its line is slow.
HELD_SECONDS = 1.0
GATHER_SECONDS = 2.0
LOOK_SECONDS = 0.2
#: Enough for what a statement costs to be shared.
AT_ONCE = 50

log = structlog.get_logger(__name__)


class _Ended(NamedTuple):
    unread: Unread
    tell: Callable[[], None]


class Desk:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: In the order of their ends.
        self._ended: list[_Ended] = []
        #: One writes at a time: else a trace that another still writes would be called written.
        self._writing = asyncio.Lock()

    def put(self, unread: Unread, *, make: Callable[[], Trace], tell: Callable[[], None]) -> None:
        """An answer has ended; its trace is made where and when it is written, and told of a moment before."""
        traces.keep(unread.user_id, unread.request_id, make)
        self._ended.append(_Ended(unread, tell))

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                while due := self._due():
                    await self._write(due)
                if not self._ended:
                    # Requests that came to no end of an answer count too.
                    tell_noted()
            except Exception:
                # A fault of ours costs these traces, not all that will follow.
                log.exception("desk_crashed")

    async def flush(self) -> None:
        """Tell and write all that has gathered."""
        await self._write(len(self._ended))

    # Internal

    def _due(self) -> int:
        """How many are to be written now: as many as are worth a statement, or all that were held for long enough."""
        ended = self._ended
        # Asked five times a second, and mostly nothing is: the first and the last of them tell.
        if len(ended) >= AT_ONCE and self._age(ended[AT_ONCE - 1]) >= HELD_SECONDS:
            return AT_ONCE
        if not ended or self._age(ended[0]) < GATHER_SECONDS:
            return 0
        return sum(self._age(one) >= HELD_SECONDS for one in ended[:AT_ONCE])

    def _age(self, one: _Ended) -> float:
        return self._clock() - one.unread.ended_at

    async def _write(self, count: int) -> None:
        """Tell and write the first so many."""
        async with self._writing:
            ended, self._ended = self._ended[:count], self._ended[count:]
            kept = traces.pending.collect([one.unread.key for one in ended])
            try:
                for one in ended:
                    one.tell()
                # Here and not in a thread, which would fight with this one for Python the while.
                made = traces.made(kept)
                tell_noted()
                metrics.TRACES_LOST.inc(len(kept) - len(made))
                await self._write_down([one.unread.message_id for one in ended], made)
            finally:
                for one in ended:
                    one.unread.is_written.set()

    async def _write_down(self, message_ids: list[UUID], made: list[Ended]) -> None:
        if not message_ids:
            return
        try:
            lost = await in_database(_write, message_ids, made)
        except Unavailable as error:
            lost = len(made)
            log.warning("trace_lost", traces=lost, cause=str(error))
        metrics.TRACES_LOST.inc(lost)


def _write(message_ids: list[UUID], made: list[Ended]) -> int:
    outbox.release(*message_ids)
    return traces.write(made)
