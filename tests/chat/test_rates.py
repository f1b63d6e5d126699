"""Hits in fixed windows, by an injected clock."""

from __future__ import annotations

import threading

from chat import rates
from chat.rates import Rates
from tests.clock import Clock


def test_a_window_allows_so_many_and_tells_how_long_it_lasts() -> None:
    clock = Clock(100.0)
    counted = Rates(clock)
    assert [counted.wait_seconds("turn", "alice", 2, 60) for _ in range(2)] == [0.0, 0.0]
    clock.now += 15
    assert counted.wait_seconds("turn", "alice", 2, 60) == 45
    clock.now += 45
    assert counted.wait_seconds("turn", "alice", 2, 60) == 0.0


def test_users_and_deeds_are_counted_apart() -> None:
    counted = Rates(Clock(100.0))
    assert not counted.wait_seconds("turn", "alice", 1, 60)
    assert not counted.wait_seconds("turn", "bob", 1, 60)
    assert not counted.wait_seconds("command", "alice", 1, 60)
    assert counted.wait_seconds("turn", "alice", 1, 60)


def test_none_are_allowed_where_the_limit_is_zero() -> None:
    assert Rates(Clock(100.0)).wait_seconds("turn", "alice", 0, 60) == 60


def test_counts_whose_window_is_over_are_not_kept_for_ever() -> None:
    clock = Clock(100.0)
    counted = Rates(clock)
    for number in range(rates.COUNTS_MOST):
        counted.wait_seconds("turn", str(number), 1, 60)
    clock.now += 30
    counted.wait_seconds("turn", "alice", 1, 60)
    clock.now += 31
    counted.wait_seconds("turn", "bob", 1, 60)
    assert set(counted._counts) == {("turn", "alice"), ("turn", "bob")}


def test_threads_take_no_more_than_there_is() -> None:
    counted = Rates()
    allowed: list[bool] = []

    def take() -> None:
        for _ in range(500):
            allowed.append(not counted.wait_seconds("turn", "alice", 700, 60))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 700
