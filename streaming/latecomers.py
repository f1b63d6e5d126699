"""Answers that ended with nobody there: for a few seconds, coming back still means that one had waited."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from chat import traces
from chat.errors import Unavailable
from chat.pending_traces import Key
from streaming.database import in_database
from streaming.duties import complain

GRACE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Unread:
    """`received_at` and `ended_at` by time.monotonic; `is_written` once its trace is there to be changed."""

    user_id: int
    request_id: str
    room_id: UUID
    message_id: UUID
    received_at: float
    ended_at: float = field(default_factory=time.monotonic)
    is_written: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> Key:
        """Of its trace."""
        return self.user_id, self.request_id


class Latecomers:
    def __init__(self) -> None:
        self._unread: dict[UUID, Unread] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, unread: Unread) -> None:
        self._forget_old()
        self._unread[unread.message_id] = unread

    def read(self, message_id: UUID) -> None:
        """Somebody is told this answer's end."""
        self._came(self._unread.pop(message_id, None))

    def entered(self, room_id: UUID) -> None:
        """Somebody opened the room, and sees its newest page."""
        for unread in [unread for unread in self._unread.values() if unread.room_id == room_id]:
            self.read(unread.message_id)

    # Internal

    def _came(self, unread: Unread | None) -> None:
        if unread is None or time.monotonic() - unread.ended_at > GRACE_SECONDS:
            return
        task = asyncio.create_task(self._note(unread, (time.monotonic() - unread.received_at) * 1000))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(complain)

    async def _note(self, unread: Unread, ms: float) -> None:
        await unread.is_written.wait()
        try:
            await in_database(traces.came_back, unread.user_id, unread.request_id, round(ms, 1))
        except Unavailable:
            log.info(
                "return_not_noted", requestId=unread.request_id, roomId=str(unread.room_id), userId=unread.user_id
            )

    def _forget_old(self) -> None:
        before = time.monotonic() - GRACE_SECONDS
        self._unread = {pk: unread for pk, unread in self._unread.items() if unread.ended_at > before}
