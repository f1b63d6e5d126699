"""Ctrl-C in `talk`: the answer is cut to what the terminal shows of it, whatever came before."""

from __future__ import annotations

import asyncio
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from streaming.endings import end_of
from streaming.events import Chunk, Event, Rewind, Snapshot
from streaming.management.commands.talk import Command, _Teller
from streaming.run import RunKey

KEY = RunKey("request-1", uuid4(), uuid4(), 2)
PLACE: dict[str, Any] = {
    "request_id": KEY.request_id, "room_id": KEY.room_id, "message_id": KEY.message_id, "attempt": 2,
}


class Events(asyncio.Queue[Event]):
    """`drained` is set when everything has been told and more is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.drained = asyncio.Event()

    async def get(self) -> Event:
        if self.empty():
            self.drained.set()
        return await super().get()


class Stopping:
    """A runner that ends the answer when it is told to stop it."""

    def __init__(self, events: Events) -> None:
        self.stopped: list[tuple[UUID, int]] = []
        self._events = events

    def stop(self, message_id: UUID, seen_length: int) -> bool:
        self.stopped.append((message_id, seen_length))
        outcome: Any = SimpleNamespace(
            status="stopped", finish_reason="stopped", text="x" * seen_length, last_seq=9, prompt_tokens=None,
            completion_tokens=None, cached_tokens=None, first_ms=None, total_ms=1.0,
        )
        self._events.put_nowait(end_of(KEY, outcome))
        return True


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ([Chunk(**PLACE, seq=1, chunk="abc"), Chunk(**PLACE, seq=2, chunk="def")], 6),
        ([Chunk(**PLACE, seq=1, chunk="abcd"), Rewind(**PLACE, seq=2, length=2), Chunk(**PLACE, seq=3, chunk="e")], 3),
        ([Chunk(**PLACE, seq=1, chunk="abcdef"), Rewind(**PLACE, seq=2, length=0)], 0),
        ([Chunk(**PLACE, seq=1, chunk="abc"), Snapshot(**PLACE, seq=2, text="abcdef")], 6),
    ],
    ids=["chunks", "cut by a new owner", "nothing kept", "told again as a whole"],
)
async def test_a_stop_tells_how_much_of_the_answer_was_seen(told: list[Event], seen: int) -> None:
    events = Events()
    for event in told:
        events.put_nowait(event)
    runner = Stopping(events)
    room: Any = SimpleNamespace(persona_name="Alice", character=SimpleNamespace(slug="mina"))
    engine, identity = cast(Any, SimpleNamespace(runner=runner)), cast(Any, None)
    teller = _Teller(Command(stdout=cast(Any, StringIO())), engine, room, identity)
    telling = asyncio.create_task(teller._tell(events, KEY.message_id))
    await events.drained.wait()
    telling.cancel()
    await telling
    assert runner.stopped == [(KEY.message_id, seen)]
