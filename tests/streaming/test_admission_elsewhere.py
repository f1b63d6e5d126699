"""A chain whose first route has no room: it begins with another one that would do. By events, never by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from streaming.providers.admission import Admission, unconcerned
from streaming.providers.base import Prompt, ProviderError, Route, Text
from streaming.providers.calls import Call
from streaming.providers.chain import Chain, Recovering, RouteChosen
from streaming.providers.hedging import Budget, Hedging
from tests.streaming.chaining import END, Model, Step, failure, prompt_for
from tests.streaming.queueing import ALICE, BOB, ONE, OTHER, settle
from tests.virtual_time import run_in_virtual_time


class Eager(Hedging):
    """Everybody is late after a second."""

    def late_after(self, route: Route) -> float | None:
        return 1.0


@dataclass
class House:
    """Routes with one place each, and the answers that are asked of them."""

    scripts: dict[str, list[list[Step]]] = field(default_factory=dict)
    routes: tuple[Route, ...] = (ONE, OTHER)
    hedging: Hedging = field(default_factory=lambda: Hedging(Budget(0.0)))
    admission: Admission = field(default_factory=lambda: Admission(queue_most=10))
    prompt_for: Callable[[Route, str], Prompt] = prompt_for
    calls: list[Call] = field(default_factory=list)
    notes: list[RouteChosen | Recovering] = field(default_factory=list)
    ahead: list[int | None] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)

    def __post_init__(self) -> None:
        usual: list[list[Step]] = [["Rain.", END]] * 9
        self.models = {way.name: Model(self.scripts.get(way.name, usual)) for way in self.routes}

    async def occupy(self, *routes: Route) -> None:
        for way in routes:
            await self.admission.enter(way, BOB, unconcerned)

    async def ask(self, text: str = "", *, stream: bool = True) -> str:
        chain = Chain(
            self.routes, lambda way: self.models[way.name], self.prompt_for, stream=stream, hedging=self.hedging,
            heard=self.calls.append, admission=self.admission, user_id=ALICE, on_ahead=self.ahead.append,
            clock=asyncio.get_running_loop().time,
        )
        words = ""
        async for piece in chain.generate(initial_text=text):
            if isinstance(piece, Text):
                words += piece.text
            elif isinstance(piece, RouteChosen | Recovering):
                self.notes.append(piece)
        return words

    def told(self) -> list[tuple[str, str, str]]:
        return [(call.route, call.why, call.outcome) for call in self.calls]


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_begins_with_the_next_route_when_the_first_has_no_room(stream: bool) -> None:
    house = House()
    await house.occupy(ONE)
    assert await house.ask(stream=stream) == "Rain."
    assert house.notes == [RouteChosen("other", "model-other")]
    assert (house.told(), house.ahead) == ([("other", "first", "stop")], [])
    assert house.admission._under_way == {"one": 1, "other": 0}


async def test_a_route_with_room_is_asked_whoever_else_has_some() -> None:
    house = House()
    await house.ask()
    assert house.told() == [("one", "first", "stop")]
    assert house.models["other"].asked == []


async def test_who_waits_for_several_routes_goes_to_the_one_that_is_free_first() -> None:
    house = House()
    await house.occupy(ONE, OTHER)
    asking = asyncio.create_task(house.ask())
    await settle()
    assert house.ahead == [0]
    house.admission.leave(OTHER)
    assert await asking == "Rain."
    assert (house.told(), house.ahead) == ([("other", "first", "stop")], [0, None])


async def test_a_route_that_stepped_in_and_fails_leaves_the_answer_to_the_first() -> None:
    house = House({"other": [[failure("provider_refused", retryable=False)]]})
    await house.occupy(ONE)
    asking = asyncio.create_task(house.ask())
    await settle()
    assert house.told() == [("other", "first", "provider_refused")]
    house.admission.leave(ONE)
    assert await asking == "Rain."
    assert house.told()[1:] == [("one", "next", "stop")]


def cannot_take(way: Route, text: str) -> Prompt:
    if way.name == "other":
        raise ProviderError("context_too_long", "Too long.", retryable=False)
    return prompt_for(way, text)


def ill() -> Hedging:
    hedging = Hedging(Budget(0.0))
    hedging.health.note(Call("other", outcome="provider_rate_limited", retry_after_seconds=600.0))
    return hedging


@pytest.mark.parametrize(
    ("house", "text"),
    [(House(prompt_for=cannot_take), ""), (House(hedging=ill()), ""), (House(), "Rain "), (House(routes=(ONE,)), "")],
    ids=["it cannot take the prompt", "it is not well", "text is there already", "there is none"],
)
async def test_nobody_begins_elsewhere_when(house: House, text: str) -> None:
    await house.occupy(ONE)
    asking = asyncio.create_task(house.ask(text))
    await settle()
    assert (house.ahead, house.calls) == ([0], [])
    house.admission.leave(ONE)
    await asking
    assert [call.route for call in house.calls] == ["one"]


async def test_a_first_route_that_cannot_be_asked_is_accounted_and_nobody_waits_for_it() -> None:
    def one_cannot(way: Route, text: str) -> Prompt:
        return cannot_take(replace(way, name="other" if way.name == "one" else ""), text)

    house = House(prompt_for=one_cannot)
    await house.occupy(ONE)
    await house.ask()
    assert house.told() == [("one", "first", "context_too_long"), ("other", "next", "stop")]


def test_a_crowd_that_comes_at_once_is_spread_and_races_nobody() -> None:
    """Each of them saw the room that only one of them found."""
    slow: list[list[Step]] = [[3.0, "Rain.", END]] * 9

    async def scenario() -> House:
        house = House({"one": slow, "other": slow}, hedging=Eager(Budget(100.0, 5.0)))
        await asyncio.gather(*(house.ask() for _ in range(4)))
        return house

    house = run_in_virtual_time(scenario())
    assert sorted(house.told()) == [("one", "first", "stop")] * 2 + [("other", "first", "stop")] * 2


def test_who_waits_its_turn_races_nobody() -> None:
    """Not asked yet is not late: a race would cost a request and make the crowd larger."""

    async def scenario() -> House:
        house = House({"one": [[2.0, "Rain.", END]]}, hedging=Eager(Budget(100.0, 5.0)))
        await house.occupy(ONE, OTHER)
        loop = asyncio.get_running_loop()
        loop.call_later(3.0, house.admission.leave, ONE)
        loop.call_later(3.5, house.admission.leave, OTHER)
        await house.ask()
        return house

    assert run_in_virtual_time(scenario()).told() == [("one", "first", "stop")]


def test_who_found_room_at_once_is_raced_as_ever() -> None:

    async def scenario() -> House:
        ways = (replace(ONE, hedges=True), replace(OTHER, max_concurrent=2))
        house = House({"one": [[30.0, "Never."]]}, ways, hedging=Eager(Budget(100.0, 5.0)))
        await house.occupy(OTHER)
        await house.ask()
        return house

    assert run_in_virtual_time(scenario()).told() == [("one", "first", "lost"), ("other", "hedge", "stop")]


async def test_who_stops_while_waiting_for_several_leaves_no_place_taken() -> None:
    house = House()
    await house.occupy(ONE, OTHER)
    asking = asyncio.create_task(house.ask())
    await settle()
    house.admission.leave(OTHER)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert house.admission._under_way == {"one": 1, "other": 0}
    assert not house.admission._queue
