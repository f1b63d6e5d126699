"""One socket's reading: a cursor for each run it follows, and the one writer of the socket.

Nothing is queued for a slow reader: its cursor stays behind, and what it lacks is merged when it returns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from streaming.run import Run

Send = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Cursor:
    """Where this socket is in a run: `sent` and `acked` are seqs, cumulative."""

    run: Run
    sent: int
    acked: int
    blocked_since: float | None = None


class SocketReader:
    """`window`: events that may be in flight unacknowledged. `post` is for frames without a seq."""

    __slots__ = (
        "_cursors", "_goodbye", "_is_due", "_posted", "_send", "_task", "_waiter", "_window", "last_sent",
    )

    def __init__(self, send: Send, *, window: int) -> None:
        self.last_sent = time.monotonic()
        self._send = send
        self._window = window
        self._posted: list[str] = []
        self._cursors: dict[UUID, Cursor] = {}
        # An event with one waiter: asyncio's own keeps a queue of them, and there are thousands of idle sockets.
        self._is_due = False
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._goodbye: Callable[[], Awaitable[None]] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_on())

    def stop(self) -> None:
        for cursor in self._cursors.values():
            cursor.run.unfollow(self)
        self._cursors.clear()
        if self._task is not None:
            self._task.cancel()

    def post(self, frame: str) -> None:
        self._posted.append(frame)
        self.run_moved()

    def close_after(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call `close` once everything posted so far has been written; nothing is written after it."""
        self._goodbye = close
        self.run_moved()

    def attach(self, run: Run, *, after: int, opening: list[str]) -> None:
        """Follow `run` from seq `after`, introduced by the frames of `opening`."""
        self._posted.extend(opening)
        if run.place is not None:
            self._posted.append(run.place)
        before = self._cursors.get(run.key.message_id)
        if before is not None and before.run is not run:
            before.run.unfollow(self)
        self._cursors[run.key.message_id] = Cursor(run, sent=after, acked=after)
        run.follow(self)
        self.run_moved()

    def follows(self, run: Run) -> bool:
        cursor = self._cursors.get(run.key.message_id)
        return cursor is not None and cursor.run is run

    def received(self, message_id: UUID, seq: int) -> None:
        """The reader has everything up to `seq`: credit returns. What was never sent cannot be acknowledged."""
        cursor = self._cursors.get(message_id)
        if cursor is not None and cursor.acked < seq <= cursor.sent:
            cursor.acked = seq
            if cursor.blocked_since is not None:
                self.run_moved()

    def run_moved(self) -> None:
        self._is_due = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def blocked_seconds(self, now: float) -> float:
        """How long the longest-blocked cursor has been without credit."""
        since = [cursor.blocked_since for cursor in self._cursors.values() if cursor.blocked_since is not None]
        return now - min(since) if since else 0.0

    async def _write_on(self) -> None:
        while True:
            if not self._is_due:
                await self._stirred()
            await self.flush()
            if self._goodbye is not None:
                return await self._goodbye()

    async def _stirred(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def flush(self) -> None:
        """Write everything that is due and has credit."""
        self._is_due = False
        while self._posted:
            posted, self._posted = self._posted, []
            for frame in posted:
                await self._write(frame)
        for cursor in tuple(self._cursors.values()):
            if self._is_current(cursor):
                await self._advance(cursor)

    async def _advance(self, cursor: Cursor) -> None:
        run = cursor.run
        if cursor.sent < run.seq and cursor.sent - cursor.acked >= self._window:
            cursor.blocked_since = cursor.blocked_since or time.monotonic()
            return
        cursor.blocked_since = None
        if cursor.sent < run.seq:
            frames = run.frames_after(cursor.sent)
            cursor.sent = run.seq
            for frame in frames:
                await self._write(frame)
        if run.is_over and cursor.sent >= run.seq and self._is_current(cursor):
            run.unfollow(self)
            del self._cursors[run.key.message_id]

    def _is_current(self, cursor: Cursor) -> bool:
        """A resume or a new owner may have put another cursor in its place while a frame was being written."""
        return self._cursors.get(cursor.run.key.message_id) is cursor

    async def _write(self, frame: str) -> None:
        self.last_sent = time.monotonic()
        await self._send(frame)
