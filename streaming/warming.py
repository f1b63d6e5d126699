"""A room was opened: have a connection to its model ready, so that the first words come at once.

A slow model reads the prompt now, too, where its route says so: an answer that begins waits for its own room's reading
and ends the others'. Nobody waits for a connection.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import structlog

from chat.errors import ChatError
from chat.models import Room
from chat.prompts import Turn
from streaming.database import in_database
from streaming.duties import complain
from streaming.prompting import RoomPrompts
from streaming.providers import Providers
from streaming.providers.base import ProviderError, Route
from streaming.providers.timers import timed
from streaming.turns import PromptContext, load_context, load_routes

#: A newest position that no message has: the whole story so far.
ALL_POSITIONS = 2**31 - 1

#: Stands where the user's words will: everything before it is what can be read ahead.
NEXT_TURN = Turn(role="user", text="…", tokens=1, position=ALL_POSITIONS)

log = structlog.get_logger(__name__)


class Warmer:
    """At most one reading at a time: the model that needs this has one core."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._room_id: UUID | None = None
        self._task: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None

    def open(self, room_id: UUID) -> None:
        """Begin to read this room's prompt, instead of another's."""
        if self._room_id == room_id and self._task is not None and not self._task.done():
            return
        self.stop()
        self._room_id = room_id
        self._task = asyncio.create_task(self._read(room_id))
        self._task.add_done_callback(complain)

    async def give_way(self, room_id: UUID) -> None:
        """An answer of this room is about to be asked for."""
        if self._task is None or self._task.done():
            return None
        if self._room_id != room_id:
            return self.stop()
        # Not awaited directly: a stop of the answer must not end the reading with an error of its own.
        await asyncio.wait([self._task])
        return None

    def stop(self) -> None:
        for task in (self._task, self._connecting):
            if task is not None:
                task.cancel()

    async def _read(self, room_id: UUID) -> None:
        try:
            found = await in_database(_load, room_id)
            if found is None:
                return
            context, route = found
            if context is None:
                self._connecting = asyncio.create_task(self._providers.warm(route))
                self._connecting.add_done_callback(complain)
            else:
                await self._ask(context, route)
        except (ChatError, ProviderError) as error:
            log.info("room_not_warmed", roomId=str(room_id), code=error.code)

    async def _ask(self, context: PromptContext, route: Route) -> None:
        prompt = replace(RoomPrompts(context).build(route, ""), max_tokens=1)
        pieces = self._providers.provider_for(route).generate(prompt, stream=False)
        # An answer may be waiting for this: it must not wait longer than for its own first word.
        async with aclosing(timed(pieces, route.limits)) as limited:
            async for _ in limited:
                pass


def _load(room_id: UUID) -> tuple[PromptContext | None, Route] | None:
    """What to read and by which route, without a context when only its connection is to be made; None: no route."""
    room = Room.objects.select_related("character", "route").get(pk=room_id)
    routes = load_routes(room)
    if not routes:
        return None
    if not routes[0].warms_prompt:
        return None, routes[0]
    context = load_context(room, before=ALL_POSITIONS)
    return replace(context, turns=(*context.turns, NEXT_TURN)), routes[0]
