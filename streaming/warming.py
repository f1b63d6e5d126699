"""A room was opened, or somebody types in it: what its next answer needs is made ready, so that words come at once.

That is what operators decided (remembered), and a connection to each model that may be asked first. A slow model reads
the prompt now, too, where its route says so: an answer that begins waits for its own room's reading and ends the
others'. Nobody waits for the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any
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
from streaming.turns import PromptContext, load_context, remember

#: A newest position that no message has: the whole story so far.
ALL_POSITIONS = 2**31 - 1

#: Stands where the user's words will: everything before it is what can be read ahead.
NEXT_TURN = Turn(role="user", text="…", tokens=1, position=ALL_POSITIONS)
#: A room whose typing was heeded so lately is warm still.
TYPING_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Warmer:
    """At most one reading at a time: the model that needs this has one core."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._room_id: UUID | None = None
        self._reading: asyncio.Task[None] | None = None
        #: Rooms that were opened and are looked up.
        self._opened: set[UUID] = set()
        self._heeded_at: dict[UUID, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, room_id: UUID) -> None:
        """Somebody has opened it."""
        if room_id not in self._opened:
            self._opened.add(room_id)
            self._do(self._open(room_id))

    def typing(self, room_id: UUID) -> None:
        """Somebody is about to send; however often that is said, it is heeded now and then."""
        now = time.monotonic()
        self._heeded_at = {room: at for room, at in self._heeded_at.items() if now - at < TYPING_SECONDS}
        if room_id not in self._heeded_at:
            self._heeded_at[room_id] = now
            self._do(self._connect(room_id))

    async def give_way(self, room_id: UUID) -> None:
        """An answer of this room is about to be asked for."""
        # What has not begun to be read will be read by the answer itself.
        self._opened.discard(room_id)
        if self._reading is None or self._reading.done():
            return
        if self._room_id != room_id:
            self._reading.cancel()
        else:
            # Not awaited directly: a stop of the answer must not end the reading with an error of its own.
            await asyncio.wait([self._reading])

    def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()

    # Internal

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(complain)
        return task

    async def _open(self, room_id: UUID) -> None:
        try:
            context, routes = await in_database(_load, room_id)
            if context is None:
                await self._touch(routes)
            elif room_id in self._opened:
                self._read_instead(room_id, context, routes[0])
        except ChatError as error:
            log.info("room_not_warmed", roomId=str(room_id), code=error.code)
        finally:
            self._opened.discard(room_id)

    async def _connect(self, room_id: UUID) -> None:
        try:
            await self._touch(await in_database(_load_routes, room_id))
        except ChatError as error:
            log.info("room_not_warmed", roomId=str(room_id), code=error.code)

    async def _touch(self, routes: Sequence[Route]) -> None:
        await asyncio.gather(*map(self._providers.warm, self._providers.hedging.likely(routes)))

    def _read_instead(self, room_id: UUID, context: PromptContext, route: Route) -> None:
        """Of this room, and of no other one."""
        if self._reading is not None:
            self._reading.cancel()
        self._room_id, self._reading = room_id, self._do(self._read(room_id, context, route))

    async def _read(self, room_id: UUID, context: PromptContext, route: Route) -> None:
        try:
            prompt = replace(RoomPrompts(context).build(route, ""), max_tokens=1)
            pieces = self._providers.provider_for(route).generate(prompt, stream=False)
            # An answer may be waiting for this: it must not wait longer than for its own first word.
            async with aclosing(timed(pieces, route.limits)) as limited:
                async for _ in limited:
                    pass
        except (ChatError, ProviderError) as error:
            log.info("room_not_read", roomId=str(room_id), code=error.code)


def _load(room_id: UUID) -> tuple[PromptContext | None, tuple[Route, ...]]:
    """What to read and by which routes; no context when only a connection is to be made."""
    room = _room(room_id)
    routes = remember(room) if room else ()
    if room is None or not routes or not routes[0].warms_prompt:
        return None, routes
    context = load_context(room, before=ALL_POSITIONS)
    return replace(context, turns=(*context.turns, NEXT_TURN)), routes


def _load_routes(room_id: UUID) -> tuple[Route, ...]:
    room = _room(room_id)
    return remember(room) if room else ()


def _room(room_id: UUID) -> Room | None:
    """None: deleted meanwhile."""
    return Room.objects.select_related("character", "route").filter(pk=room_id).first()
