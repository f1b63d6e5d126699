"""Every few seconds: what happened elsewhere in the rooms that somebody here sits in, should no hint have told."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from chat import generations, rooms
from chat.errors import Unavailable
from chat.models import Generation
from streaming.database import in_database
from streaming.events import RoomChanged, encode
from streaming.hub import Hub
from streaming.running import Running

ROUND_SECONDS = 3.0

log = structlog.get_logger(__name__)


class Rounds:
    def __init__(self, hub: Hub, running: Running, owner: str) -> None:
        self._hub = hub
        self._running = running
        self._owner = owner

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            try:
                await self.look(list(self._hub.heads()))
            except Unavailable:
                log.warning("rounds_postponed")
            except Exception:
                log.exception("rounds_crashed")

    async def look(self, room_ids: list[UUID]) -> None:
        if not room_ids:
            return
        heads, elsewhere = await in_database(_look, room_ids, self._owner)
        for generation in elsewhere:
            await self._running.discover(generation)
        for room_id, head in heads.items():
            self.moved(room_id, head)

    def moved(self, room_id: UUID, head: int) -> None:
        """Tabs that have not seen this head fetch the page."""
        if self._hub.has_seats(room_id) and head > self._hub.head_of(room_id):
            self._hub.moved(room_id, head)
            self._hub.publish(room_id, encode(RoomChanged(room_id=room_id, head=head)))


def _look(room_ids: list[UUID], owner: str) -> tuple[dict[UUID, int], list[Generation]]:
    """Heads first: an answer that begins in between is in the second list, not only in the first."""
    return rooms.heads(room_ids), generations.running_in(room_ids, not_by=owner)
