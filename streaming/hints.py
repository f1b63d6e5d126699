"""Words between processes, each of which may be lost: the rows are the truth, and reached a little later without them.

One channel a process, through channels-redis; never tokens. Knows what may be said, not what follows from it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import msgspec
import structlog
from channels.layers import get_channel_layer
from msgspec import Meta
from redis.exceptions import RedisError

from streaming import metrics
from streaming.duties import complain

GROUP = "soksak.processes"
SEND_SECONDS = 1.0
RETRY_SECONDS = 1.0
#: What is said within this time goes as one message: it costs the process as much as a dozen tokens.
GATHER_SECONDS = 0.02
BATCH = 50
#: Older ones are dropped first: what they would have told is found in the rows by now.
WAITING_MAX = 1_000

log = structlog.get_logger(__name__)
Short = Annotated[str, Meta(max_length=100)]
Count = Annotated[int, Meta(ge=0, lt=2**31)]


class Started(msgspec.Struct, tag="started", frozen=True, forbid_unknown_fields=True):
    """An answer is being written in this room."""

    room_id: UUID
    message_id: UUID


class RoomMoved(msgspec.Struct, tag="room_moved", frozen=True, forbid_unknown_fields=True):
    room_id: UUID
    head: Count


class StopAsked(msgspec.Struct, tag="stop_asked", frozen=True, forbid_unknown_fields=True):
    """The answer's owner shall look at its row."""

    message_id: UUID


class ReadElsewhere(msgspec.Struct, tag="read_elsewhere", frozen=True, forbid_unknown_fields=True):
    """Its owner shall log it at every tick."""

    message_id: UUID


class Waits(msgspec.Struct, tag="waits", frozen=True, forbid_unknown_fields=True):
    """So many are ahead of an answer at its owner; None: it waits no more."""

    message_id: UUID
    ahead: Count | None


class LeftElsewhere(msgspec.Struct, tag="left_elsewhere", frozen=True, forbid_unknown_fields=True):
    """The last reader that the process had has gone."""

    message_id: UUID


class Entered(msgspec.Struct, tag="entered", frozen=True, forbid_unknown_fields=True):
    """Somebody opened the room, and sees its newest page."""

    room_id: UUID


class LetGo(msgspec.Struct, tag="let_go", frozen=True, forbid_unknown_fields=True):
    """A process has given up its answers: somebody shall take them over now."""

    owner: Short


class FlagsChanged(msgspec.Struct, tag="flags_changed", frozen=True, forbid_unknown_fields=True):
    """A switch or a route was changed: what is remembered of them is old."""


Hint = Started | RoomMoved | StopAsked | ReadElsewhere | LeftElsewhere | Waits | Entered | LetGo | FlagsChanged
#: What was said, and by whom.
Heed = Callable[[Hint, str], None]


class Hints:
    """Without a channel layer (one process alone) nobody is told, and nobody is there."""

    def __init__(self, owner: str, heed: Heed) -> None:
        self._owner = owner
        self._heed = heed
        self._layer: Any = get_channel_layer()
        self._waiting: deque[Hint] = deque(maxlen=WAITING_MAX)
        self._some = asyncio.Event()
        self._duties: list[asyncio.Task[None]] = []

    def start(self) -> None:
        if self._layer is None:
            return
        for duty in (self._listen(), self._tell()):
            self._duties.append(asyncio.create_task(duty))
            self._duties[-1].add_done_callback(complain)

    async def aclose(self) -> None:
        """What was said so far has been sent, or Redis is away."""
        if self._layer is None:
            return
        try:
            await self._send_waiting()
        except (RedisError, OSError, TimeoutError):
            metrics.HINTS_DROPPED.inc(len(self._waiting))
        for duty in self._duties:
            duty.cancel()
        await asyncio.gather(*self._duties, return_exceptions=True)

    def say(self, hint: Hint) -> None:
        """To every other process; returns at once."""
        if self._layer is None:
            return
        if len(self._waiting) == WAITING_MAX:
            metrics.HINTS_DROPPED.inc()
        self._waiting.append(hint)
        self._some.set()

    async def _tell(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._some.clear()
            try:
                await self._send_waiting()
            except (RedisError, OSError, TimeoutError) as error:
                log.info("hint_not_sent", waiting=len(self._waiting), cause=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._some.set()

    async def _send_waiting(self) -> None:
        while self._waiting:
            batch = list(islice(self._waiting, BATCH))
            message = {"type": "hints", "from": self._owner, "body": msgspec.json.encode(batch)}
            async with asyncio.timeout(SEND_SECONDS):
                await self._layer.group_send(GROUP, message)
            # The oldest may have been dropped meanwhile, and newer ones have come.
            sent = {id(hint) for hint in batch}
            while self._waiting and id(self._waiting[0]) in sent:
                self._waiting.popleft()

    async def _listen(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel("hints.")
                await self._layer.group_add(GROUP, channel)
                while True:
                    self._hear(await self._layer.receive(channel))
            except (RedisError, OSError, TimeoutError) as error:
                log.info("hints_not_heard", cause=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("from") == self._owner:
            return
        for hint in parse_hints(message.get("body")):
            try:
                self._heed(hint, str(message.get("from")))
            except Exception:
                # The next one is somebody else's.
                log.exception("hint_crashed", hint=type(hint).__name__)


BATCH_MAX_BYTES = 20_000
_batch: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_hint: msgspec.json.Decoder[Hint] = msgspec.json.Decoder(Hint)


def parse_hints(body: Any) -> Iterator[Hint]:
    """Those that are ours; one of unknown kind, damaged, or larger than a batch of ours is counted and passed over."""
    for raw in _raw_hints(body):
        try:
            yield _hint.decode(raw)
        except msgspec.DecodeError:
            metrics.HINTS_IGNORED.inc()


def _raw_hints(body: Any) -> list[msgspec.Raw]:
    if isinstance(body, bytes) and len(body) <= BATCH_MAX_BYTES:
        with suppress(msgspec.DecodeError):
            return _batch.decode(body)
    metrics.HINTS_IGNORED.inc()
    return []
