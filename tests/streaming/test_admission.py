"""Who may ask a provider, who waits and who is refused. By events, never by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chat.models import Message
from streaming.engine import Engine
from streaming.events import Ack, Chunk, CommandError, Failure, Waiting
from streaming.providers.admission import QUIET_SECONDS, Admission, unconcerned
from streaming.providers.base import ProviderError, Route, Text
from streaming.providers.chain import Chain
from streaming.providers.hedging import Budget, Hedging
from tests.people import request_id
from tests.streaming.chaining import END, Model, prompt_for, route
from tests.streaming.scenes import Scene, client_of, post, sse
from tests.streaming.seats import Tab
from tests.virtual_time import run_in_virtual_time

ONE = replace(route("one"), max_concurrent=1)
OTHER = replace(route("other"), max_concurrent=1)
ALICE, BOB, CHARLIE = 1, 2, 3


@dataclass
class Desk:
    """Requests that are made when their turn comes, and end when a test says so."""

    admission: Admission
    served: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    places: dict[str, list[int | None]] = field(default_factory=dict)
    _ends: dict[str, asyncio.Event] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def come(self, name: str, user_id: int, route: Route = ONE) -> None:
        self._ends[name], self.places[name] = asyncio.Event(), []
        self._tasks[name] = asyncio.create_task(self._ask(name, user_id, route))
        await settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def leave(self, name: str) -> None:
        self._tasks[name].cancel()
        await settle()

    async def end_all(self) -> None:
        for name in self._ends:
            await self.end(name)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _ask(self, name: str, user_id: int, route: Route) -> None:
        try:
            await self.admission.enter(route, user_id, self.places[name].append)
        except ProviderError as error:
            self.refused.append(name if error.code == "provider_busy" and error.retryable else str(error))
            return
        try:
            self.served.append(name)
            await self._ends[name].wait()
        finally:
            self.admission.leave(route)


async def settle() -> None:
    """Everything that can happen at once has happened."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def desk(**bounds: Any) -> AsyncIterator[Desk]:
    now = Desk(Admission(**{"queue_most": 10, **bounds}))
    yield now
    await now.end_all()
    assert set(now.admission._under_way.values()) <= {0}, "a place was lost"
    assert not now.admission._queue


async def test_as_many_as_the_route_takes_are_served_and_the_others_wait() -> None:
    async with desk() as at:
        for name in ("a", "b", "c"):
            await at.come(name, ALICE, replace(ONE, max_concurrent=2))
        assert at.served == ["a", "b"]
        await at.end("b")
        assert at.served == ["a", "b", "c"]


async def test_one_routes_queue_is_not_in_anothers_way() -> None:
    async with desk() as at:
        await at.come("a", ALICE)
        await at.come("b", ALICE)
        await at.come("other", BOB, OTHER)
        assert at.served == ["a", "other"]
        assert at.places["b"] == [0]


async def test_a_process_has_a_bound_over_all_routes() -> None:
    async with desk(calls_most=2) as at:
        for name, where in (("a", ONE), ("b", OTHER), ("c", replace(route("third")))):
            await at.come(name, ALICE, where)
        assert at.served == ["a", "b"]
        await at.end("a")
        assert at.served == ["a", "b", "c"]


async def test_users_take_turns_and_each_ones_requests_keep_their_order() -> None:
    async with desk() as at:
        await at.come("now", CHARLIE)
        for name in ("a1", "a2", "a3"):
            await at.come(name, ALICE)
        await at.come("b1", BOB)
        await at.come("b2", BOB)
        for name in ("now", "a1", "b1", "a2", "b2"):
            await at.end(name)
        assert at.served == ["now", "a1", "b1", "a2", "b2", "a3"]


async def test_a_place_is_told_and_goes_down() -> None:
    at = Desk(Admission(queue_most=10, clock=lambda: next(ticks)))
    ticks = iter(QUIET_SECONDS * tick for tick in range(1000))
    for name in ("a", "b", "c", "d"):
        await at.come(name, ALICE)
    assert at.places == {"a": [], "b": [0], "c": [1], "d": [2]}
    await at.end("a")
    await at.end("b")
    assert at.places["d"] == [2, 1, 0]
    await at.end_all()


async def test_a_place_that_changes_quickly_is_told_now_and_then() -> None:
    at = Desk(Admission(queue_most=10, clock=lambda: 7.0))
    for name in ("a", "b", "c", "d"):
        await at.come(name, ALICE)
    await at.end("a")
    await at.end("b")
    assert at.places["d"] == [2]
    await at.end_all()


async def test_the_queue_is_bounded_and_who_comes_then_is_refused_at_once() -> None:
    async with desk(queue_most=1) as at:
        for name in ("a", "b", "c"):
            await at.come(name, ALICE)
        assert (at.served, at.refused) == (["a"], ["c"])
        assert at.admission.is_full


async def test_who_was_accepted_while_the_queue_filled_waits_past_its_bound() -> None:
    async with desk(queue_most=1, spare=1) as at:
        for name in ("first", "second"):
            await at.come(name, ALICE)
        assert at.admission.refuses([ONE]), "a new message is not taken any more"
        await at.come("accepted before", BOB)
        assert at.refused == []
        await at.come("too many", CHARLIE)
        assert at.refused == ["too many"]


@pytest.mark.parametrize("queue_most", [0, 1])
async def test_a_free_place_needs_no_queue(queue_most: int) -> None:
    async with desk(queue_most=queue_most) as at:
        assert not at.admission.refuses([ONE])
        await at.come("a", ALICE)
        assert at.served == ["a"]
        assert at.admission.refuses([ONE]) == (queue_most == 0)


async def test_who_leaves_the_queue_is_in_nobodys_way() -> None:
    async with desk() as at:
        for name in ("a", "b", "c"):
            await at.come(name, ALICE)
        await at.leave("b")
        await at.end("a")
        assert at.served == ["a", "c"]


async def test_who_leaves_in_the_moment_of_its_turn_gives_the_place_on() -> None:
    async with desk() as at:
        for name in ("a", "b", "c"):
            await at.come(name, ALICE)
        at._ends["a"].set()
        await asyncio.sleep(0)
        at._tasks["b"].cancel()
        await settle()
        assert "c" in at.served


def test_nobody_waits_for_ever() -> None:
    async def scenario() -> Desk:
        at = Desk(Admission(queue_most=10, wait_seconds=60.0))
        await at.come("a", ALICE)
        await at.come("b", ALICE)
        await asyncio.sleep(59.0)
        assert not at.refused
        await asyncio.sleep(2.0)
        await at.end_all()
        return at

    assert run_in_virtual_time(scenario()).refused == ["b"]


async def test_what_a_user_is_given_elsewhere_or_gave_up_costs_nobody_their_turn() -> None:
    async with desk() as at:
        await at.come("now", CHARLIE)
        await at.come("elsewhere", CHARLIE, OTHER)
        for name in ("a1", "a2"):
            await at.come(name, ALICE)
        await at.come("a elsewhere", ALICE, OTHER)
        await at.end("elsewhere")
        for name in ("gone1", "gone2", "gone3"):
            await at.come(name, BOB)
            await at.leave(name)
        await at.come("b1", BOB)
        for name in ("now", "a1", "b1"):
            await at.end(name)
        assert at.served == ["now", "elsewhere", "a elsewhere", "a1", "b1", "a2"]


async def test_a_bound_that_is_raised_counts_for_those_who_wait_already() -> None:
    async with desk() as at:
        await at.come("now", ALICE)
        await at.come("first", BOB)
        await at.come("newcomer", CHARLIE, replace(ONE, max_concurrent=2))
        assert at.served == ["now", "first"]


async def test_a_full_queue_refuses_nobody_whom_another_route_would_take() -> None:
    async with desk(queue_most=1) as at:
        await at.come("now", ALICE)
        await at.come("next", BOB)
        assert at.admission.refuses([ONE])
        assert not at.admission.refuses([ONE, OTHER])


def test_a_place_is_told_in_the_end_also_when_nothing_moves_any_more() -> None:
    async def scenario() -> list[int | None]:
        at = Desk(Admission(queue_most=10, clock=asyncio.get_running_loop().time))
        for name in ("a", "b", "c", "d"):
            await at.come(name, ALICE)
        await at.end("a")
        await at.end("b")
        await asyncio.sleep(QUIET_SECONDS + 0.1)
        told = list(at.places["d"])
        await at.end_all()
        return told

    assert run_in_virtual_time(scenario()) == [2, 0]


def test_who_waits_its_turn_races_nobody() -> None:
    """Not asked yet is not late: a race would cost a request and make the crowd larger."""

    class Eager(Hedging):
        def late_after(self, route: Route) -> float | None:
            return 1.0

    async def scenario() -> tuple[list[object], list[object]]:
        admission = Admission(queue_most=10)
        await admission.enter(ONE, BOB, unconcerned)
        models = {"one": Model([["Rain.", END]]), "other": Model([["Sun.", END]])}
        chain = Chain(
            [replace(ONE, hedges=True), OTHER], lambda way: models[way.name], prompt_for,
            hedging=Eager(Budget(100.0, 5.0)), admission=admission, user_id=ALICE,
            clock=asyncio.get_running_loop().time,
        )
        asyncio.get_running_loop().call_later(3.0, admission.leave, ONE)
        pieces = [piece async for piece in chain.generate()]
        return list(pieces), list(models["other"].asked)

    pieces, asked_other = run_in_virtual_time(scenario())
    assert Text("Rain.") in pieces
    assert asked_other == []


# In a room


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_a_reader_sees_the_place_and_then_the_answer(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await tab.send()
    assert (await tab.until(Waiting)).ahead == 0
    await busy.end("a")
    assert (await tab.answer()).content
    await engine.runner.settled()
    assert set(engine.providers.admission._under_way.values()) == {0}


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_comes_to_a_full_queue_is_refused_before_anything_is_written(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await busy.come("b", BOB)
    rid = await tab.send("too many")
    refusal = await tab.refusal()
    assert (refusal.code, refusal.retryable, refusal.request_id) == ("overloaded", True, rid)
    assert not await Message.objects.filter(content="too many").aexists()
    await busy.end_all()
    await tab.send("too many", rid)
    assert (await tab.answer()).request_id == rid


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_waited_too_long_gets_an_error_and_keeps_the_words(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1, wait_seconds=0.01)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await tab.send("hello?")
    failure = await tab.until(Failure)
    assert (failure.code, failure.retryable) == ("provider_busy", True)
    assert await Message.objects.filter(content="hello?").aexists()
    await busy.end_all()


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_who_comes_later_is_told_the_place_over_sse_and_in_another_tab(
    engine: Engine, scene: Scene, tab: Tab
) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=5)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    response = await post(
        await client_of(scene.alice), "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi"
    )
    frames = sse(response)
    while (frame := await anext(frames))["event"] != "ai_message_waiting":
        pass
    assert (frame["data"]["ahead"], "id" in frame) == (0, False)
    second = scene.tab()
    await second.open()
    await second.say("resume", known=[])
    assert (await second.until(Waiting)).ahead == 0
    await second.close()
    await busy.end_all()
    await tab.answer()


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_nobody_sees_a_number_while_the_model_thinks(engine: Engine, scene: Scene, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=5)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    await busy.come("b", BOB)
    await tab.send()
    assert (await tab.until(Waiting)).ahead == 1
    await busy.end_all()
    await tab.until(Chunk)
    assert tab.of(Waiting)[-1].ahead is None


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
async def test_a_repeat_joins_its_answer_however_long_the_queue_is(engine: Engine, tab: Tab) -> None:
    engine.providers.admission = Admission(calls_most=1, queue_most=1)
    busy = Desk(engine.providers.admission)
    await busy.come("a", BOB)
    rid = await tab.send("hello?")
    first = await tab.until(Ack)
    if not tab.of(Waiting):
        await tab.until(Waiting)
    await tab.send("hello?", rid)
    assert (await tab.until(Ack)).message_id == first.message_id
    assert tab.of(CommandError) == []
    await busy.end_all()
    await tab.answer()
