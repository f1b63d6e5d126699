"""Who may ask a provider, who waits and who is refused. By events, never by the clock."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest

from streaming.providers.admission import QUIET_SECONDS, Admission
from streaming.providers.base import Route
from tests.streaming.chaining import route
from tests.streaming.queueing import ALICE, BOB, CHARLIE, ONE, OTHER, Desk, desk, settle
from tests.virtual_time import run_in_virtual_time


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


@pytest.mark.parametrize(("calls_most", "routes", "ahead"), [
    (0, [route("free")], -math.inf), (0, [ONE], -1), (0, [ONE, OTHER], -2), (1, [route("free")], -1),
    (1, [ONE, OTHER], -1),
])
async def test_below_zero_a_request_would_not_have_to_wait(calls_most: int, routes: list[Route], ahead: float) -> None:
    async with desk(calls_most=calls_most) as at:
        assert at.admission.ahead(routes) == ahead
        assert not at.admission.refuses(routes)


async def test_those_who_wait_and_those_who_are_expected_are_ahead() -> None:
    async with desk(queue_most=3) as at:
        with at.admission.expecting():
            assert at.admission.ahead([ONE]) == 0
            await at.come("now", ALICE)
            assert at.admission.ahead([ONE]) == 1
            await at.come("next", BOB)
            assert at.admission.ahead([ONE]) == 2
            with at.admission.expecting():
                assert at.admission.refuses([ONE])
        assert at.admission.ahead([ONE]) == 1


async def test_a_bound_that_was_lowered_leaves_no_place_owed() -> None:
    async with desk() as at:
        wide = replace(ONE, max_concurrent=3)
        for name in ("a", "b"):
            await at.come(name, ALICE, wide)
        assert at.admission.ahead([wide]) == -1
        assert at.admission.ahead([ONE, OTHER]) == -1


async def test_whoever_may_use_several_routes_gets_the_first_that_has_room() -> None:
    async with desk() as at:
        for name in ("a", "b", "c", "d"):
            await at.come(name, ALICE, ONE, OTHER)
        assert (at.at, at.places) == ({"a": "one", "b": "other"}, {"a": [], "b": [], "c": [0], "d": [1]})
        await at.end("b")
        await at.end("a")
        assert at.at == {"a": "one", "b": "other", "c": "other", "d": "one"}


async def test_a_newcomer_takes_no_place_that_somebody_waits_for() -> None:
    async with desk() as at:
        await at.come("a", ALICE, ONE)
        await at.come("b", BOB, OTHER)
        await at.come("patient", ALICE, ONE, OTHER)
        await at.come("particular", BOB, ONE)
        at._ends["b"].set()
        await at.come("newcomer", CHARLIE, OTHER)
        assert at.served == ["a", "b", "patient"]
        assert at.at["patient"] == "other"


async def test_those_are_ahead_who_may_take_a_place_that_one_waits_for() -> None:
    async with desk() as at:
        third = replace(ONE, name="third")
        for name, where in (("a", ONE), ("b", OTHER), ("c", third)):
            await at.come(name, ALICE, where)
        await at.come("either", ALICE, ONE, OTHER)
        await at.come("one", BOB, ONE)
        await at.come("third", BOB, third)
        await at.come("any", CHARLIE, third, OTHER)
        told = {name: at.places[name] for name in ("either", "one", "third", "any")}
        assert told == {"either": [0], "one": [1], "third": [0], "any": [1]}


async def test_a_process_that_is_full_is_full_for_every_route() -> None:
    async with desk(calls_most=1, queue_most=1) as at:
        for name in ("a", "b", "c"):
            await at.come(name, ALICE, ONE, OTHER)
        assert (at.at, at.refused, at.places["b"]) == ({"a": "one"}, ["c"], [0])
        await at.end("a")
        assert at.at["b"] == "one", "its own route, since that has room as well"


async def test_who_leaves_while_it_may_go_anywhere_gives_that_very_place_on() -> None:
    async with desk() as at:
        for name in ("a", "b", "c", "d"):
            await at.come(name, ALICE, ONE, OTHER)
        at._ends["b"].set()
        await asyncio.sleep(0)
        at._tasks["c"].cancel()
        await settle()
        assert at.at["d"] == "other"
