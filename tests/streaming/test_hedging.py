"""Two routes race for the first words. Time is virtual: exact, and nothing waits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from streaming.providers.base import Finished, ProviderError, Route, Text
from streaming.providers.calls import Call
from streaming.providers.chain import Chain, Recovering, RouteChosen
from streaming.providers.health import Health
from streaming.providers.hedging import Budget, Hedging
from streaming.providers.latency import LEAST_COUNT
from tests.streaming.chaining import END, Model, Step, failure, prompt_for, route
from tests.streaming.tails import Tail, seconds_drawn
from tests.virtual_time import run_in_virtual_time

A, B = replace(route("A"), hedges=True, base_url="http://a"), replace(route("B"), base_url="http://b")
USUAL_SECONDS = 1.0


class Race:
    """A chain over two models, whose first route's content usually comes within a second."""

    def __init__(
        self, first: list[list[Step]], second: list[list[Step]], *,
        percent: float = 100.0, routes: tuple[Route, ...] = (A, B),
    ) -> None:
        self.models = {"A": Model(first), "B": Model(second)}
        self.hedging = Hedging(Budget(percent, 1.0))
        for _ in range(LEAST_COUNT):
            self.hedging.latencies.note("A", USUAL_SECONDS)
        self.calls: list[Call] = []
        self.notes: list[RouteChosen | Recovering] = []
        self.text = ""
        self.first_at = 0.0
        self._routes = routes

    def run(self, initial_text: str = "") -> Race:
        run_in_virtual_time(self._listen(initial_text))
        assert all(model.closed == len(model.asked) for model in self.models.values()), "a stream was left open"
        return self

    async def _listen(self, initial_text: str) -> None:
        loop = asyncio.get_running_loop()
        chain = Chain(
            self._routes, lambda route: self.models[route.name], prompt_for,
            heard=self._hear, hedging=self.hedging, clock=loop.time,
        )
        async for piece in chain.generate(initial_text=initial_text):
            match piece:
                case Text(text):
                    self.first_at = self.first_at or loop.time()
                    self.text += text
                case RouteChosen() | Recovering():
                    self.notes.append(piece)

    def _hear(self, call: Call) -> None:
        self.calls.append(call)
        self.hedging.note(call)

    def told(self) -> list[tuple[str, str, str]]:
        return [(call.route, call.why, call.outcome) for call in self.calls]


def test_first_words_that_come_in_time_are_not_raced() -> None:
    race = Race([["The ", "rain.", END]], []).run()
    assert (race.text, race.told()) == ("The rain.", [("A", "first", "stop")])


def test_late_first_words_lose_to_the_next_route() -> None:
    race = Race([[30.0, "Never.", END]], [[0.3, "The ", 0.1, "rain.", END]]).run()
    assert race.text == "The rain."
    assert race.first_at == pytest.approx(USUAL_SECONDS + 0.3, rel=0.05)
    assert race.notes == [RouteChosen("B", "model-B")]
    assert race.told() == [("A", "first", "lost"), ("B", "hedge", "stop")]


def test_the_late_one_may_still_win() -> None:
    race = Race([[1.5, "The ", "rain.", END]], [[30.0, "Never.", END]]).run()
    assert race.text == "The rain."
    assert race.notes == [RouteChosen("A", "model-A")]
    assert race.told() == [("B", "hedge", "lost"), ("A", "first", "stop")]


@pytest.mark.parametrize("loss", [[failure()], [END], ["  \n", END]], ids=["error", "empty", "blank"])
def test_errors_and_empty_streams_lose(loss: list[Step]) -> None:
    race = Race([[2.0, "The rain.", END]], [[0.1, *loss]]).run()
    assert race.text == "The rain."
    assert [(call.route, call.outcome) for call in race.calls][-1] == ("A", "stop")


def test_a_late_one_that_fails_leaves_the_race_to_the_other() -> None:
    race = Race([[1.2, failure()]], [[2.0, "The rain.", END]]).run()
    assert (race.text, race.notes) == ("The rain.", [RouteChosen("B", "model-B")])


def test_when_both_fail_the_chain_goes_on_as_ever() -> None:
    race = Race([[1.2, failure()], ["The rain.", END]], [[0.1, failure()]]).run()
    assert (race.text, race.notes[0]) == ("The rain.", Recovering("provider_unavailable", "A"))


def test_a_failure_before_it_is_late_is_no_race() -> None:
    race = Race([[0.1, failure()], ["The rain.", END]], []).run()
    assert [call.why for call in race.calls] == ["first", "again"]


def test_a_winner_that_breaks_midway_is_continued_on_its_own_route() -> None:
    breaks = failure("provider_incomplete")
    race = Race([[30.0, "Never."]], [[0.1, "The ", breaks], ["rain.", END]]).run()
    assert race.text == "The rain."
    assert [(call.route, call.why) for call in race.calls] == [("A", "first"), ("B", "hedge"), ("B", "go_on")]


def test_a_loser_is_accounted_by_estimate_and_the_winner_as_told() -> None:
    race = Race([[30.0, "Never."]], [["The rain.", Finished("stop", 10, 3, 4)]]).run()
    lost, won = race.calls
    assert not lost.is_counted
    assert lost.tokens[0] > 0
    assert won.tokens == (10, 4, 3)


def test_a_lost_request_tells_the_sketch_that_the_route_was_slow() -> None:
    race = Race([[30.0, "Never."]], [[0.5, "The rain.", END]])
    before = race.hedging.latencies.quantile("A", 0.999)
    race.run()
    after = race.hedging.latencies.quantile("A", 0.999)
    assert before is not None
    assert after == pytest.approx(1.5, rel=0.05)


def test_a_rival_that_lost_tells_the_sketch_nothing() -> None:
    """Ended 50 ms after it was asked, sixty times: it is as slow as it ever was."""
    race = Race([[1.1, "The rain.", END]] * 60, [[30.0, "Never."]] * 60)
    for _ in range(LEAST_COUNT):
        race.hedging.latencies.note("B", 1.37)
    for _ in range(60):
        race.run()
    lost = [call for call in race.calls if call.outcome == "lost"]
    assert len(lost) > 20
    assert max(call.seconds for call in lost) < 0.2
    assert race.hedging.latencies.quantile("B", 0.5) == pytest.approx(1.37, rel=0.05)


def deaf(race: Race) -> None:
    race.hedging.latencies._slots.clear()


def ill(race: Race) -> None:
    for _ in range(9):
        race.hedging.health.note(Call("B", outcome="provider_unavailable"))


@pytest.mark.parametrize(
    "hindered",
    [
        Race([[3.0, "The rain.", END]], [], percent=0.0),
        Race([[3.0, "The rain.", END]], [], routes=(replace(A, hedges=False), B)),
        Race([[3.0, "The rain.", END]], [], routes=(A,)),
        Race([[3.0, "The rain.", END]], [], routes=(A, replace(A, name="B", hedges=False, model="model-A"))),
    ],
    ids=["no budget", "not asked for", "no other route", "the same route twice"],
)
def test_nobody_races_when(hindered: Race) -> None:
    assert hindered.run().text == "The rain."
    assert len(hindered.calls) == 1


@pytest.mark.parametrize("hinder", [deaf, ill])
def test_nobody_races_without_knowledge_or_a_rival_that_is_well(hinder: Callable[[Race], None]) -> None:
    race = Race([[3.0, "The rain.", END]], [])
    hinder(race)
    assert [call.why for call in race.run().calls] == ["first"]


def test_a_rival_that_once_had_to_rest_is_probed_by_a_race() -> None:
    """Of the second place, its first route well all day long: nothing but a race would ever ask it."""
    late: list[Step] = [30.0, "Never."]
    race = Race([late] * 3, [[0.3, "The rain.", END]] * 3)

    async def a_day_after_a_429() -> None:
        clock = asyncio.get_running_loop().time
        health = race.hedging.health = Health(clock)
        health.note(Call("B", outcome="provider_rate_limited", asked_at=clock(), retry_after_seconds=3.0))
        assert race.hedging.rival(A, [A, B]) is None, "it rests"
        await asyncio.sleep(86_400.0)
        assert race.hedging.likely([A, B]) == [A, B], "its connection shall be ready"
        assert health.state("B") == "half_open", "looking is no probe"
        listening = asyncio.create_task(race._listen(""))
        await asyncio.sleep(USUAL_SECONDS + 0.2)
        assert race.hedging.rival(A, [A, B]) is None, "one probe at a time"
        await listening
        assert health.state("B") == "closed"

    run_in_virtual_time(a_day_after_a_429())
    assert race.told() == [("A", "first", "lost"), ("B", "hedge", "stop")]


def test_a_rival_that_is_well_goes_before_one_that_is_to_be_probed() -> None:
    hedging, well = Hedging(Budget(100.0)), replace(B, name="C", base_url="http://c")
    hedging.health.note(Call("B", outcome="provider_rate_limited", retry_after_seconds=1e-9))
    assert hedging.health.state("B") == "half_open"
    assert hedging.rival(A, [A, B]) == B
    assert hedging.rival(A, [A, B, well]) == well


def test_a_continuation_is_not_raced() -> None:
    assert Race([[3.0, "falls.", END]], []).run("The rain ").told() == [("A", "go_on", "stop")]


def test_a_reader_who_leaves_ends_both() -> None:
    async def leave() -> Race:
        race = Race([[30.0, "Never."]], [[30.0, "Never."]])
        listening = asyncio.create_task(race._listen(""))
        await asyncio.sleep(5.0)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        return race

    race = run_in_virtual_time(leave())
    assert [model.closed for model in race.models.values()] == [1, 1]
    assert {call.outcome for call in race.calls} == {"cancelled"}


def test_a_budget_bounds_the_races_whatever_happens() -> None:
    budget = Budget(5.0)
    raced = 0
    for _ in range(1000):
        budget.earn()
        raced += budget.spend()
    assert raced == 50


@pytest.mark.parametrize(("percent", "share"), [(5.0, 0.95), (45.0, 0.6)])
def test_a_slow_tail_gets_shorter_within_the_budget(percent: float, share: float) -> None:
    """Lognormal, p50 0.5 s, p95 2.5 s, 2 % stalls."""
    plain, _ = first_words(0.0, share)
    raced, extra = first_words(percent, share)
    assert extra <= percent / 100
    assert at(raced, 0.5) <= at(plain, 0.5) * 1.02
    assert at(raced, 0.95) < at(plain, 0.95)
    assert at(raced, 0.99) < at(plain, 0.99) / 2
    if percent > 40:
        assert at(raced, 0.95) <= 1.5


def test_who_knew_which_answers_are_slow_would_not_reach_a_second_and_a_half_with_five_percent() -> None:
    """The bound of every rule: of all answers the slowest twentieth costs nothing at all."""
    chance = random.Random(11)
    drawn = sorted(seconds_drawn(chance) for _ in range(50_000))
    assert at(drawn, 0.90) > 1.9
    assert sum(seconds > 1.5 for seconds in drawn) / len(drawn) == pytest.approx(0.148, abs=0.005)


def first_words(percent: float, share: float, answers: int = 3000) -> tuple[list[float], float]:
    """(sorted seconds to first words, extra requests by answer)."""
    tail = Tail(random.Random(11))
    hedging = Hedging(Budget(percent), share)
    seconds, calls = list[float](), list[Call]()

    async def ask() -> None:
        loop = asyncio.get_running_loop()

        def heard(call: Call) -> None:
            calls.append(call)
            hedging.note(call)

        begun_at = loop.time()
        chain = Chain((A, B), lambda route: tail, prompt_for, heard=heard, hedging=hedging, clock=loop.time)
        async for piece in chain.generate():
            if isinstance(piece, Text):
                seconds.append(loop.time() - begun_at)
                return

    async def ask_all() -> None:
        for _ in range(answers):
            await ask()

    run_in_virtual_time(ask_all())
    return sorted(seconds), sum(call.why == "hedge" for call in calls) / answers


def at(values: list[float], share: float) -> float:
    return values[int(share * len(values))]


def test_errors_of_the_set_up_are_not_raced() -> None:
    refused = failure("provider_refused", retryable=False)
    race = Race([[refused]], [["The rain.", END]]).run()
    assert [call.why for call in race.calls] == ["first", "next"]
    assert isinstance(refused, ProviderError)
