"""The event log in Redis Streams: one stream an answer, one command a tick, one blocking read a process.

Redis may be slow, gone, empty or behind at any time: then tokens flow on, a gauge tells, and everything that runs
is written anew, whole, as soon as it answers again.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import structlog
from redis.exceptions import RedisError, ResponseError

from streaming import log_script, metrics
from streaming.duties import complain
from streaming.event_log import Fenced, Watcher
from streaming.log_entries import Copy, Entry, Whole, encode_entry, entry_id
from streaming.log_script import Addition
from streaming.log_tail import COMMAND_SECONDS, FIELD, LogTail, connect, entries_of, stream_key
from streaming.run import Run

EPOCH_KEY = "soksak:epoch"
#: A stream outlives its last entry by so much: a reader may come back, and a next owner may need it.
LIFETIME_SECONDS = 900
#: An entry lengthens its stream's life if that was not done for so long: a command less for most of them.
LENGTHENED_SECONDS = 60.0
ENTRIES_MAX = 5_000
#: What Redis says where another owner, or somebody who is none of ours, has written.
REFUSALS = ("FENCED", "The ID specified in XADD is equal or smaller", "WRONGTYPE", "Operation against a key holding")
TICK_SECONDS = 0.033
CALM_TICK_SECONDS = 0.25
#: How long a reader elsewhere counts without saying so again.
HURRY_SECONDS = 15.0
RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


class RedisLog:
    """`fenced` is told when some answer has another owner."""

    def __init__(self, url: str, watcher: Watcher, fenced: Fenced) -> None:
        # Each call is bounded as a whole, by ourselves: redis-py would bound its parts.
        self._redis = connect(url, reply_seconds=None)
        self._tail = LogTail(url, watcher)
        self._fenced = fenced
        #: The name of the store that was written to last: one that came back empty gets another.
        self._epoch = b""
        self._copies: dict[UUID, Copy] = {}
        self._hurried: dict[UUID, float] = {}
        #: When everything that is behind is written next, monotonic seconds.
        self._all_due_at = 0.0
        self._wake = asyncio.Event()
        self._duty: asyncio.Task[None] | None = None
        self.is_up = True

    def start(self) -> None:
        self._duty = asyncio.create_task(self._keep())
        self._duty.add_done_callback(complain)
        self._tail.start()

    async def aclose(self) -> None:
        if self._duty is not None:
            self._duty.cancel()
        await self._tail.aclose()
        await self.flush()
        await self._redis.aclose()

    # Writing

    def follow(self, run: Run) -> None:
        if not self._copies:
            # The duty is resting for want of anything to write.
            self._wake.set()
        self._copies[run.key.message_id] = Copy(run)
        run.ended.add_done_callback(lambda _: self._ended(run.key.message_id))

    def _ended(self, message_id: UUID) -> None:
        # Whoever reads it elsewhere never waits for a tick; for anybody else the row has the end.
        if message_id in self._hurried:
            self._wake.set()

    def hurry(self, message_id: UUID) -> None:
        if message_id in self._copies:
            self._hurried[message_id] = time.monotonic() + HURRY_SECONDS
            self._wake.set()

    async def _keep(self) -> None:
        while True:
            await self._rest()
            self._wake.clear()
            try:
                await self._write_on(self._due())
            except Exception:
                # A fault of ours costs this tick, not the log of all that runs.
                log.exception("event_log_crashed")

    async def _rest(self) -> None:
        """Until the next tick; while nothing is written here, until something is."""
        if not self.is_up:
            # A failover may have left us with one that only reads.
            await self._redis.connection_pool.disconnect()
            return await asyncio.sleep(RETRY_SECONDS)
        calm = max(0.0, self._all_due_at - time.monotonic())
        pause = min(TICK_SECONDS, calm) if self._hurried else calm if self._copies else None
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return None
        return None

    def _due(self) -> list[Copy]:
        """What is read elsewhere, at every tick; the others wait for the calm one, all together."""
        now = time.monotonic()
        if not self.is_up or now >= self._all_due_at:
            self._all_due_at = now + CALM_TICK_SECONDS
            return list(self._copies.values())
        return [copy for pk, copy in self._copies.items() if pk in self._hurried]

    async def flush(self) -> None:
        """All that is behind."""
        await self._write_on(list(self._copies.values()))

    async def _write_on(self, copies: list[Copy]) -> None:
        """One command with what these lack. Nothing is queued for a Redis that is away: the runs hold it all."""
        batch = [(copy, entry) for copy in copies for entry in copy.lacks()]
        self._sweep()
        if not batch and not self._copies and self.is_up:
            return
        try:
            epoch, refused = await self._write(batch)
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            return
        self._found()
        if self._is_another_store(epoch):
            # What was written just now may lack what came before: once more, whole.
            self._doubt()
            self._all_due_at = 0.0
            return
        self._heed(batch, refused)

    async def _write(self, batch: list[tuple[Copy, Entry]]) -> tuple[bytes, dict[int, str]]:
        now = time.monotonic()
        additions = [self._addition(copy, entry, now) for copy, entry in batch]
        async with asyncio.timeout(COMMAND_SECONDS):
            return await log_script.add(self._redis, EPOCH_KEY, uuid4().hex, FIELD, ENTRIES_MAX, additions)

    def _addition(self, copy: Copy, entry: Entry, now: float) -> Addition:
        is_whole = isinstance(entry, Whole)
        lengthens = is_whole or copy.lengthened_at < now - LENGTHENED_SECONDS
        if lengthens:
            copy.lengthened_at = now
        return Addition(
            stream_key(copy.run.key.message_id), str(entry.attempt) if is_whole else "", entry_id(entry),
            encode_entry(entry), str(LIFETIME_SECONDS) if lengthens else "",
        )

    def _is_another_store(self, epoch: bytes) -> bool:
        before, self._epoch = self._epoch, epoch
        return self._epoch != before and any(copy.is_sure for copy in self._copies.values())

    def _heed(self, batch: list[tuple[Copy, Entry]], refused: dict[int, str]) -> None:
        for number, (copy, entry) in enumerate(batch):
            if number not in refused:
                copy.written(entry)
            elif refused[number].startswith(REFUSALS):
                copy.is_sure = False
            else:
                return self._lost(ResponseError(refused[number]))
        if refused:
            metrics.LOG_FENCED.inc(len(refused))
            self._fenced()
        return None

    def _sweep(self) -> None:
        """Forget what is over and written, and readers elsewhere that have not been heard of."""
        self._copies = {pk: copy for pk, copy in self._copies.items() if not copy.is_done}
        now = time.monotonic()
        self._hurried = {pk: until for pk, until in self._hurried.items() if until > now and pk in self._copies}

    def _doubt(self) -> None:
        """What was on its way may or may not be there: only writing all of it anew makes sure."""
        for copy in self._copies.values():
            copy.is_sure = False

    def _lost(self, error: BaseException) -> None:
        self._doubt()
        if self.is_up:
            metrics.LOG_DOWN.set(1)
            log.warning("event_log_down", runs=len(self._copies), cause=repr(error))
        self.is_up = False

    def _found(self) -> None:
        if not self.is_up:
            metrics.LOG_DOWN.set(0)
            log.warning("event_log_up", runs=len(self._copies))
        self.is_up = True

    # Reading

    async def read(self, message_id: UUID) -> list[Entry]:
        if not self.is_up:
            return []
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                rows: Any = await self._redis.xrange(stream_key(message_id))
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            return []
        return [entry for entry in entries_of(rows) if entry is not None]

    def watch(self, message_id: UUID, after: str) -> None:
        self._tail.watch(message_id, after)

    def unwatch(self, message_id: UUID) -> None:
        self._tail.unwatch(message_id)
