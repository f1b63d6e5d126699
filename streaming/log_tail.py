"""The reading side of the Redis log: one blocking read a process for all answers that are watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streaming import metrics
from streaming.duties import complain
from streaming.event_log import Watcher
from streaming.log_entries import Entry, decode_entry

FIELD = b"e"
#: An answer that is watched from now on is read with the next call: so long it may take.
BLOCK_MS = 50
ENTRIES_A_READ = 500
COMMAND_SECONDS = 1.0
RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


def connect(url: str, *, reply_seconds: float | None = COMMAND_SECONDS) -> Redis:
    """redis-py's own ten retries would hang a call for 25 s. `reply_seconds` None: whoever calls bounds the call."""
    return Redis.from_url(
        url, socket_timeout=reply_seconds, socket_connect_timeout=COMMAND_SECONDS, retry=Retry(NoBackoff(), 0)
    )


def stream_key(message_id: UUID) -> str:
    return f"soksak:run:{message_id}"


def entries_of(rows: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry | None]:
    """In order; None where something else lies in the stream."""
    entries = [decode_entry(identifier.decode(), fields.get(FIELD)) for identifier, fields in rows]
    metrics.LOG_FOREIGN.inc(entries.count(None))
    return entries


class LogTail:
    def __init__(self, url: str, watcher: Watcher) -> None:
        self._redis = connect(url)
        self._watcher = watcher
        #: Stream key → (answer, id of the last entry read).
        self._positions: dict[str, tuple[UUID, str]] = {}
        self._some = asyncio.Event()
        self._duty: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._duty = asyncio.create_task(self._keep())
        self._duty.add_done_callback(complain)

    async def aclose(self) -> None:
        if self._duty is not None:
            self._duty.cancel()
        await self._redis.aclose()

    def watch(self, message_id: UUID, after: str) -> None:
        self._positions[stream_key(message_id)] = (message_id, after)
        self._some.set()

    def unwatch(self, message_id: UUID) -> None:
        self._positions.pop(stream_key(message_id), None)

    async def _keep(self) -> None:
        while True:
            await self._some.wait()
            if not self._positions:
                self._some.clear()
                continue
            try:
                await self._read()
            except (RedisError, OSError, TimeoutError) as error:
                log.info("event_log_unread", cause=repr(error))
                await self._redis.connection_pool.disconnect()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # What one entry does must not leave all other answers unread.
                log.exception("event_log_reader_crashed")

    async def _read(self) -> None:
        wanted: Any = {key: after for key, (_, after) in self._positions.items()}
        found: Any = await self._redis.xread(wanted, count=ENTRIES_A_READ, block=BLOCK_MS)
        for key, rows in found or ():
            name = key.decode()
            # Unwatched, or watched anew from elsewhere, while this was being read.
            if (position := self._positions.get(name)) is None or position[1] != wanted[name]:
                continue
            self._positions[name] = (position[0], rows[-1][0].decode())
            self._watcher.logged(position[0], entries_of(rows))
