"""Those who rest for about the same time are woken together, each close to when they asked to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from streaming.providers.alarm_clock import LENIENCE_SECONDS, SLOT_SECONDS, AlarmClock


class Loop:
    """Time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., None], *arguments: Any) -> None:
        self.timers.append((when, callback, arguments))

    def ring(self) -> None:
        """The earliest timer."""
        timer = min(self.timers, key=lambda one: one[0])
        self.timers.remove(timer)
        self.now, callback, arguments = timer
        callback(*arguments)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def alarm_clock(loop: Loop) -> AlarmClock:
    return AlarmClock(cast(asyncio.AbstractEventLoop, loop))


def test_nobody_is_woken_late_nor_more_than_a_slot_early(loop: Loop, alarm_clock: AlarmClock) -> None:
    early: list[float] = []
    for number in range(40):
        wanted = loop.now + 0.04
        alarm_clock.wake_in(0.04, lambda wanted=wanted: early.append(wanted - loop.now))  # type: ignore[misc]
        loop.now += SLOT_SECONDS / 7 * (number % 3)
    while loop.timers:
        loop.ring()
    assert len(early) == 40
    assert max(early) <= SLOT_SECONDS
    assert min(early) >= -LENIENCE_SECONDS - 1e-9


@pytest.mark.parametrize("late", [-0.0005, 0.0, 0.004, 0.0084])
def test_whoever_rests_again_somewhat_late_stays_in_step(loop: Loop, alarm_clock: AlarmClock, late: float) -> None:
    woken: list[float] = []

    def wake() -> None:
        woken.append(round(loop.now, 6))
        loop.now += late
        if len(woken) < 4:
            alarm_clock.wake_in(0.04, wake)

    alarm_clock.wake_in(0.04, wake)
    while loop.timers:
        loop.ring()
    assert [round(after - before, 6) for before, after in pairwise(woken)] == [0.04] * 3


def test_no_rest_is_shorter_than_until_the_next_slot(loop: Loop, alarm_clock: AlarmClock) -> None:
    loop.now += SLOT_SECONDS / 2
    alarm_clock.wake_in(0.001, lambda: None)
    assert loop.timers[0][0] > loop.now


def test_whoever_is_due_at_about_the_same_time_is_woken_by_one_timer(loop: Loop, alarm_clock: AlarmClock) -> None:
    woken: list[int] = []
    for number in range(5):
        alarm_clock.wake_in(0.04, lambda number=number: woken.append(number))  # type: ignore[misc]
        loop.now += SLOT_SECONDS / 20
    assert len(loop.timers) == 1
    loop.ring()
    assert woken == [0, 1, 2, 3, 4]


def test_after_a_slot_has_rung_it_can_be_asked_for_again(loop: Loop, alarm_clock: AlarmClock) -> None:
    woken: list[str] = []
    alarm_clock.wake_in(0.0, lambda: woken.append("first"))
    loop.ring()
    alarm_clock.wake_in(0.0, lambda: woken.append("second"))
    loop.ring()
    assert woken == ["first", "second"]
