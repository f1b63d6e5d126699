"""Open pages hear of the rollout: a reader whose path has changed is told within a beat, whoever changed it and where.

Asks the policy and not the hint: without Redis, or when the hint is lost, it comes all the same.
"""

from __future__ import annotations

import asyncio
from weakref import WeakSet

import structlog

from chat.errors import Unavailable
from streaming import rollout
from streaming.database import in_database
from streaming.events import PathChanged, encode
from streaming.hub import Hub, Seat
from streaming.rollout import Policy

BEAT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Paths:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._policy: Policy | None = None
        #: Whose path is what the policy says; who has come since is looked at once.
        self._told: WeakSet[Seat] = WeakSet()

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._hub.has_anybody:
                await self._look()

    async def _look(self) -> None:
        try:
            found = await in_database(rollout.policy)
        except Unavailable:
            # What a turn is to take is asked again when it comes.
            log.info("policy_look_postponed")
            return
        if found != self._policy:
            self._policy = found
            self._told.clear()
        for seat in self._hub.seats():
            if seat not in self._told:
                self._told.add(seat)
                _tell(seat, found)


def _tell(seat: Seat, policy: Policy) -> None:
    path = policy.assign(seat.user_id, seat.is_staff, is_load=seat.is_load).path
    if path != seat.path:
        seat.path = path
        seat.reader.post(encode(PathChanged(path=path)))
