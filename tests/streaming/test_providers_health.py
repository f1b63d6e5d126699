from __future__ import annotations

import pytest

from streaming.providers.calls import Call
from streaming.providers.health import FAILURES_TO_OPEN, OPEN_SECONDS, PROBE_SECONDS, Health
from tests.clock import Clock
from tests.streaming.chaining import A, B


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def fail(health: Health, clock: Clock, times: int = 1, *, code: str = "provider_unavailable", wait: float = 0) -> None:
    for _ in range(times):
        health.note(Call("A", outcome=code, asked_at=clock.now, retry_after_seconds=wait or None))


def test_a_route_that_fails_again_and_again_is_asked_last(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN - 1)
    assert health.ordered([A, B]) == (A, B)
    fail(health, clock)
    assert health.ordered([A, B]) == (B, A)
    assert health.ordered([A]) == (A,), "the last one left is tried all the same"


def test_a_success_in_between_starts_the_count_anew(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN - 1)
    health.note(Call("A", outcome="stop"))
    fail(health, clock, FAILURES_TO_OPEN - 1)
    assert health.state("A") == "closed"


@pytest.mark.parametrize("outcome", ["cancelled", "lost", "context_too_long", "content_filtered"])
def test_what_is_no_fault_of_the_routes_does_not_count(health: Health, clock: Clock, outcome: str) -> None:
    fail(health, clock, 50, code=outcome)
    assert health.state("A") == "closed"


def test_one_answer_probes_a_route_after_its_rest_and_a_success_closes_the_circuit(
    health: Health, clock: Clock
) -> None:
    fail(health, clock, FAILURES_TO_OPEN)
    clock.now += OPEN_SECONDS
    assert health.state("A") == "half_open"
    assert health.ordered([A, B]) == (A, B), "the probe"
    assert health.ordered([A, B]) == (B, A), "only one at a time"
    health.note(Call("A", outcome="length", asked_at=clock.now))
    assert health.ordered([A, B]) == (A, B)


def test_a_probe_that_fails_doubles_the_rest(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN)
    clock.now += OPEN_SECONDS
    health.ordered([A, B])
    fail(health, clock)
    clock.now += OPEN_SECONDS
    assert health.state("A") == "open"
    clock.now += OPEN_SECONDS
    assert health.state("A") == "half_open"


def test_failures_of_requests_from_before_do_not_prolong_the_rest(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN + 20)
    clock.now += OPEN_SECONDS
    assert health.state("A") == "half_open"


def test_a_probe_that_is_never_heard_of_again_is_repeated(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN)
    clock.now += OPEN_SECONDS
    health.ordered([A, B])
    assert health.state("A") == "open"
    clock.now += PROBE_SECONDS
    assert health.ordered([A, B]) == (A, B)


@pytest.mark.parametrize("wait", [0.5, 3.0, 60.0])
def test_a_provider_that_asks_for_time_gets_it(health: Health, clock: Clock, wait: float) -> None:
    fail(health, clock, code="provider_rate_limited", wait=wait)
    clock.now += wait * 0.9
    assert health.ordered([A, B]) == (B, A)
    clock.now += wait * 0.2
    assert health.state("A") == "half_open"


def test_what_was_asked_before_shortens_no_rest(health: Health, clock: Clock) -> None:
    """An answer that had begun before the provider asked for time ends well in the midst of it."""
    began_at = clock.now
    clock.now += 1.0
    fail(health, clock, code="provider_rate_limited", wait=60.0)
    clock.now += 1.0
    health.note(Call("A", outcome="stop", asked_at=began_at))
    assert health.state("A") == "open"
    health.note(Call("A", outcome="stop", asked_at=clock.now))
    assert health.state("A") == "closed", "asked all the same, and it answered"


def test_a_provider_cannot_ask_for_ever(health: Health, clock: Clock) -> None:
    fail(health, clock, code="provider_rate_limited", wait=1e9)
    clock.now += 600.0
    assert health.state("A") == "half_open"


def test_an_ill_route_of_the_second_place_is_not_probed_by_who_needs_the_first(health: Health, clock: Clock) -> None:
    fail(health, clock, FAILURES_TO_OPEN)
    clock.now += OPEN_SECONDS
    assert health.ordered([B, A]) == (B, A)
    assert health.state("A") == "half_open", "its probe is still to be had, by a race"
    health.probe("A")
    assert health.state("A") == "open", "only one at a time"
    health.note(Call("A", outcome="stop", asked_at=clock.now))
    assert health.state("A") == "closed"


def test_what_is_well_or_rests_is_not_probed(health: Health, clock: Clock) -> None:
    health.probe("A")
    assert health.state("A") == "closed"
    fail(health, clock, FAILURES_TO_OPEN)
    health.probe("A")
    clock.now += OPEN_SECONDS
    assert health.state("A") == "half_open"
