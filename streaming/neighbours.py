"""What the processes have to do with each other: the log they share, mirrors of others' answers, hints.

Losing a neighbour, or every word from it, costs a little time and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from chat import generations
from chat.errors import Unavailable
from chat.models import Generation
from streaming import remembered
from streaming.database import in_database
from streaming.duties import complain
from streaming.endings import ending_of
from streaming.event_log import EventLog, LocalLog
from streaming.events import encode
from streaming.hints import (
    Entered,
    FlagsChanged,
    Hint,
    Hints,
    LeftElsewhere,
    LetGo,
    ReadElsewhere,
    RoomMoved,
    Started,
    StopAsked,
    Waits,
)
from streaming.hub import Hub
from streaming.mirrors import Mirrors
from streaming.ownership import Ownership
from streaming.redis_log import RedisLog
from streaming.rounds import Rounds
from streaming.run import Run
from streaming.running import Running

#: Looks at rows that are under way when the process ends.
LAST_TASKS_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Neighbours:
    """`ownership`, `running` and `rounds` are set once they exist: they need the log that is made here."""

    ownership: Ownership
    running: Running
    rounds: Rounds

    def __init__(self, owner: str, hub: Hub) -> None:
        self._owner = owner
        self._hub = hub
        self.hints = Hints(owner, self.heed)
        self.mirrors = Mirrors(hub, self.hints.say)
        self.log: EventLog = (
            RedisLog(settings.REDIS_URL, self.mirrors, self._fenced) if settings.REDIS_URL else LocalLog()
        )
        self.mirrors.log = self.log
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    def start(self) -> None:
        self.log.start()
        self.hints.start()

    async def aclose(self) -> None:
        """Others hear that our answers are theirs now."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_TASKS_SECONDS)
        self.mirrors.close()
        await self.log.aclose()
        self.hints.say(LetGo(self._owner))
        await self.hints.aclose()

    # What happens to answers here

    def began(self, run: Run) -> None:
        self.mirrors.forget(run.key.message_id)
        self.log.follow(run)
        run.on_place = self._say_place
        self.hints.say(Started(run.key.room_id, run.key.message_id))

    def lost(self, message_id: UUID, room_id: UUID) -> None:
        """Another process writes it on, or has ended it: its readers here go on reading there."""
        self._do(self._follow_on(message_id, room_id))

    async def _follow_on(self, message_id: UUID, room_id: UUID) -> None:
        generation = await in_database(generations.load, message_id)
        if generation is None:
            return
        if generation.status == Generation.Status.RUNNING:
            await self.running.discover(generation)
        else:
            self._hub.publish(room_id, encode(ending_of(generation)))

    def entered(self, room_id: UUID, *, is_lively: bool) -> None:
        """Somebody opened the room; `is_lively`: an answer may have ended in it a moment ago, here or elsewhere."""
        self.running.entered(room_id)
        if is_lively:
            self.hints.say(Entered(room_id))

    # What is heard of others

    def heed(self, hint: Hint, sender: str) -> None:
        if self._is_closing:
            return
        match hint:
            case Started(room_id, message_id) if self._hub.has_seats(room_id):
                self._do(self._discover(message_id))
            case RoomMoved(room_id, head):
                self.rounds.moved(room_id, head)
            case StopAsked():
                self._do(self.ownership.look_after())
            case ReadElsewhere() | LeftElsewhere() | Entered() | Waits():
                self._heed_reader(hint, sender)
            case LetGo():
                self._do(self.ownership.adopt())
            case FlagsChanged():
                remembered.forget()

    def _heed_reader(self, hint: ReadElsewhere | LeftElsewhere | Entered | Waits, sender: str) -> None:
        match hint:
            case ReadElsewhere(message_id):
                self.log.hurry(message_id)
                self.running.read_elsewhere(message_id, sender)
                self._say_place_again(message_id)
            case LeftElsewhere(message_id):
                self.running.left_elsewhere(message_id, sender)
            case Entered(room_id):
                self.running.entered(room_id)
            case Waits(message_id, ahead):
                self.mirrors.wait(message_id, ahead)

    async def _discover(self, message_id: UUID) -> None:
        generation = await in_database(generations.load, message_id)
        if generation is None:
            return
        if generation.status == Generation.Status.RUNNING:
            await self.running.discover(generation)
        else:
            # Over before it was heard of: the page tells.
            self.rounds.moved(generation.room_id, generation.room.head)

    def _say_place_again(self, message_id: UUID) -> None:
        """To readers elsewhere who may have missed it."""
        run = self.running.get(message_id)
        if run is not None and run.ahead is not None and run.on_place is not None:
            run.on_place(run)

    def _say_place(self, run: Run) -> None:
        if run.attendance.is_read_elsewhere:
            self.hints.say(Waits(run.key.message_id, run.ahead))

    def _fenced(self) -> None:
        self._do(self.ownership.look_after())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._postponed(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(complain)

    async def _postponed(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unavailable:
            # The rounds and the looks at the rows find it again.
            log.info("hint_postponed")
