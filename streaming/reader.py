"""One socket's reading: a cursor for each run it follows, and the one who writes to the socket.

Nothing is queued for a slow reader: its cursor stays behind, and what it lacks is merged when it returns. There is a
task only while a socket lets its writer wait; else what is due is written from the loop, after what made it due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from streaming.begun import Begun
from streaming.run import Run

Send = Callable[[str], Awaitable[None]]
#: Several frames at once, without waiting; False: not now.
Write = Callable[[Sequence[str]], bool]


def cannot_write(frames: Sequence[str]) -> bool:
    """A Write for sockets that have none."""
    return False


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
        "_cursors", "_goodbye", "_is_due", "_is_open", "_is_stirred", "_posted", "_send", "_task", "_window", "_write",
        "last_sent",
    )

    def __init__(self, send: Send, *, window: int, write: Write = cannot_write) -> None:
        self.last_sent = time.monotonic()
        self._send = send
        self._write = write
        self._window = window
        self._posted: list[str] = []
        self._cursors: dict[UUID, Cursor] = {}
        self._is_open = False
        #: Something may have to be written.
        self._is_due = False
        #: The loop will look.
        self._is_stirred = False
        #: Waits for the socket.
        self._task: asyncio.Task[None] | None = None
        self._goodbye: Callable[[], Awaitable[None]] | None = None

    def start(self) -> None:
        self._is_open = True
        self._stir()

    def stop(self) -> None:
        self._is_open = False
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
        self._stir()

    def blocked_seconds(self, now: float) -> float:
        """How long the longest-blocked cursor has been without credit."""
        since = [cursor.blocked_since for cursor in self._cursors.values() if cursor.blocked_since is not None]
        return now - min(since) if since else 0.0

    async def flush(self) -> None:
        """Write everything that is due and has credit."""
        await self._write_all(self._taken())

    # Internal

    def _stir(self) -> None:
        if self._is_open and self._is_due and not self._is_stirred and self._task is None:
            self._is_stirred = True
            # Soon, not now: many that are due at once are written one right after the other.
            asyncio.get_running_loop().call_soon(self._write_due)

    def _write_due(self) -> None:
        self._is_stirred = False
        if not self._is_open:
            return
        frames = self._taken()
        if self._goodbye is None and (not frames or self._write(frames)):
            return
        writing = self._write_on(frames)
        try:
            waits_for = writing.send(None)
        except StopIteration:
            return
        self._task = asyncio.create_task(self._go_on(Begun(writing, waits_for)))

    async def _write_on(self, frames: list[str]) -> None:
        await self._write_all(frames)
        while self._is_due:
            await self.flush()
        if self._goodbye is not None:
            self._is_open = False
            await self._goodbye()

    async def _write_all(self, frames: list[str]) -> None:
        if frames and not self._write(frames):
            for frame in frames:
                await self._send(frame)

    async def _go_on(self, writing: Begun) -> None:
        try:
            await writing
        finally:
            self._task = None
            self._stir()

    def _taken(self) -> list[str]:
        """What is due and has credit; it counts as sent."""
        self._is_due = False
        frames, self._posted = self._posted, []
        for cursor in tuple(self._cursors.values()):
            frames += self._advanced(cursor)
        if frames:
            self.last_sent = time.monotonic()
        return frames

    def _advanced(self, cursor: Cursor) -> list[str]:
        run, frames = cursor.run, list[str]()
        if cursor.sent < run.seq:
            if cursor.sent - cursor.acked >= self._window:
                cursor.blocked_since = cursor.blocked_since or time.monotonic()
                return frames
            frames, cursor.sent = run.frames_after(cursor.sent), run.seq
        cursor.blocked_since = None
        if run.is_over:
            run.unfollow(self)
            del self._cursors[run.key.message_id]
        return frames
