"""Those who rest for about the same time are woken together, each close to when they asked to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from streaming.providers.alarm_clock import MANY, SLOT_SECONDS, AlarmClock


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


def test_nobody_is_woken_early_nor_more_than_a_slot_late(loop: Loop, alarm_clock: AlarmClock) -> None:
    late: list[float] = []
    for number in range(40):
        wanted = loop.now + 0.04
        alarm_clock.wake_in(0.04, lambda wanted=wanted: late.append(loop.now - wanted))  # type: ignore[misc]
        loop.now += SLOT_SECONDS / 7 * (number % 3)
    while loop.timers:
        loop.ring()
    assert len(late) == 40
    assert max(late) <= SLOT_SECONDS
    assert min(late) >= -1e-9


def test_no_rest_is_shorter_than_until_the_next_slot(loop: Loop, alarm_clock: AlarmClock) -> None:
    loop.now += SLOT_SECONDS / 2
    alarm_clock.wake_in(0.001, lambda: None)
    assert loop.timers[0][0] > loop.now


def test_where_many_sleep_they_wait_for_each_other_no_more_than_two_milliseconds(
    loop: Loop, alarm_clock: AlarmClock
) -> None:
    for _ in range(MANY):
        alarm_clock.wake_in(0.04, lambda: None)
    loop.now += SLOT_SECONDS / 5 + 0.0001
    late: list[float] = []
    wanted = loop.now + 0.04
    alarm_clock.wake_in(0.04, lambda: late.append(loop.now - wanted))
    while loop.timers:
        loop.ring()
    assert -1e-9 <= late[0] <= 0.002 + 1e-9


def test_whoever_is_due_at_about_the_same_time_is_woken_by_one_timer(loop: Loop, alarm_clock: AlarmClock) -> None:
    woken: list[int] = []
    loop.now += SLOT_SECONDS / 2
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
