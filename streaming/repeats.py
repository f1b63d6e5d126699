"""Which of the requests that find no room are repeats: asked of the database for as many as come at once.

A repeat is never turned away: its turn was taken before. A crowd has few of them, and must not wait to hear that; nor
behind those whose turns are being accepted, in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from chat import generations
from chat.turn_statements import knowing
from streaming.database import in_database
from streaming.trips import Trips

#: userId, requestId.
Request = tuple[int, str]


class Repeats:
    """`known`: in a database thread, those of these that were accepted once; where no trip can tell."""

    def __init__(
        self, trips: Trips, known: Callable[[Collection[Request]], set[Request]] = generations.known
    ) -> None:
        self._trips = trips
        self._known = known
        self._asked: set[Request] = set()
        self._looking: asyncio.Task[set[Request]] | None = None

    async def have(self, user_id: int, request_id: str) -> bool:
        """Raises Unavailable."""
        request = (user_id, request_id)
        self._asked.add(request)
        if self._looking is None:
            # It begins when everybody who came in this moment has asked.
            self._looking = asyncio.create_task(self._look())
        return request in await asyncio.shield(self._looking)

    async def _look(self) -> set[Request]:
        asked, self._asked, self._looking = self._asked, set(), None
        told = await self._trips.tell([knowing(asked)]) if self._trips.is_open else None
        return generations.known_of(told) if told is not None else await in_database(self._known, asked)
