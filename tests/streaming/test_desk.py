"""What is done after answers have ended is done for some at a time, and not before browsers have told."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chat import traces
from chat.errors import Unavailable
from chat.models import Trace
from chat.pending_traces import Ended
from streaming import desk as desk_module
from streaming.desk import AT_ONCE, GATHER_SECONDS, HELD_SECONDS, Desk
from streaming.latecomers import Unread
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(clock: Clock) -> Desk:
    return Desk(clock)


def put(desk: Desk, clock: Clock, count: int = 1) -> list[Unread]:
    ended = [Unread(1, uuid4().hex, uuid4(), uuid4(), 0.0, ended_at=clock()) for _ in range(count)]
    for unread in ended:
        desk.put(unread, make=Trace, tell=lambda: None)
    return ended


def test_nothing_is_due_before_a_browser_can_have_told(desk: Desk, clock: Clock) -> None:
    put(desk, clock, AT_ONCE)
    clock.now += HELD_SECONDS - 0.01
    assert desk._due() == 0


def test_a_few_wait_for_more_but_not_for_long(desk: Desk, clock: Clock) -> None:
    put(desk, clock)
    clock.now += HELD_SECONDS
    put(desk, clock)
    assert desk._due() == 0
    clock.now += GATHER_SECONDS - HELD_SECONDS
    assert desk._due() == 2


def test_of_many_some_are_written_at_a_time(desk: Desk, clock: Clock) -> None:
    put(desk, clock, AT_ONCE + 1)
    clock.now += HELD_SECONDS
    assert desk._due() == AT_ONCE


async def test_what_cannot_be_written_is_forgotten_and_nobody_waits_for_it(
    desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise Unavailable("database_unavailable", "The database did not answer.")

    monkeypatch.setattr(desk_module, "in_database", away)
    [unread] = put(desk, clock)
    await desk.flush()
    assert unread.is_written.is_set()
    assert traces.pending.collect([unread.key]) == []


async def test_a_fault_of_ours_leaves_nobody_waiting_and_nothing_behind(desk: Desk, clock: Clock) -> None:
    def fail() -> None:
        raise ValueError("no such line")

    [unread] = put(desk, clock)
    desk.put(unread, make=Trace, tell=fail)
    with pytest.raises(ValueError, match="no such line"):
        await desk.flush()
    assert unread.is_written.is_set()
    assert traces.pending.collect([unread.key]) == []


async def test_a_trace_that_cannot_be_made_costs_no_other(
    desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def write(_: object, ids: object, made: list[Ended]) -> int:
        written.extend(one.trace.request_id for one in made)
        return 0

    def fail() -> Trace:
        raise ValueError("no such mark")

    monkeypatch.setattr(desk_module, "in_database", write)
    [bad, good] = put(desk, clock, 2)
    traces.keep(bad.user_id, bad.request_id, fail)
    traces.keep(good.user_id, good.request_id, lambda: Trace(request_id=good.request_id))
    await desk.flush()
    assert written == [good.request_id]
    assert bad.is_written.is_set()
