"""What operators decided is at hand before it is asked for, and never older than it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streaming import remembered
from streaming.remembered import WANTED_SECONDS, Memory
from tests.clock import Clock

AGE = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.ROUTES_CACHE_SECONDS = AGE
    monkeypatch.setattr(remembered, "_memories", [])
    clock = Clock()
    monkeypatch.setattr("streaming.remembered.time.monotonic", clock)
    return clock


class Reads:
    """A memory, and what was read for it."""

    def __init__(self, **bounds: Any) -> None:
        self.keys: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.memory = Memory(self._read, **bounds)

    def _read(self, key: str) -> int:
        self.keys.append(key)
        self.meanwhile()
        return len(self.keys)


def test_it_is_read_once_until_it_is_too_old(clock: Clock) -> None:
    reads = Reads()
    assert [reads.memory.get("a") for _ in range(3)] == [1, 1, 1]
    clock.now += AGE
    assert reads.memory.get("a") == 2


def test_what_is_wanted_is_read_anew_before_it_is_too_old(clock: Clock) -> None:
    reads = Reads()
    reads.memory.get("a")
    for _ in range(20):
        clock.now += AGE / 4
        remembered.refresh()
        asked = len(reads.keys)
        reads.memory.get("a")
        assert len(reads.keys) == asked, "whoever asks does not wait"
    assert len(reads.keys) == 11


def test_what_nobody_wants_any_more_is_left_alone(clock: Clock) -> None:
    reads = Reads()
    reads.memory.get("a")
    clock.now += WANTED_SECONDS + 1
    remembered.refresh()
    assert reads.keys == ["a"]


def test_a_change_is_seen_at_once_also_one_made_while_it_was_read(clock: Clock) -> None:
    reads = Reads()
    reads.memory.get("a")
    remembered.forget()
    reads.meanwhile = remembered.forget
    assert [reads.memory.get("a"), reads.memory.get("a")] == [2, 3]


def test_it_is_bounded_and_the_oldest_goes(clock: Clock) -> None:
    reads = Reads(most=2)
    for key in ("a", "b", "c", "b", "a"):
        reads.memory.get(key)
    assert reads.keys == ["a", "b", "c", "a"]


def test_without_an_age_nothing_is_remembered(clock: Clock, settings: Any) -> None:
    settings.ROUTES_CACHE_SECONDS = 0.0
    reads = Reads()
    assert [reads.memory.get("a"), reads.memory.get("a")] == [1, 2]
    assert reads.memory.old() == ["a"]
