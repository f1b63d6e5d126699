from __future__ import annotations

import random
from collections import Counter

import pytest

from streaming.providers.latency import LEAST_COUNT, RATIO, SLOT_SECONDS, SLOTS, Latencies, bucket_of
from tests.clock import Clock


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_share_is_read_within_the_ratio_of_a_bucket(share: float) -> None:
    chance, latencies = random.Random(4), Latencies(Clock(1_000_000.0))
    values = sorted(chance.lognormvariate(-0.7, 1.0) for _ in range(4000))
    for value in values:
        latencies.note("A", value)
    read = latencies.quantile("A", share)
    assert read is not None
    assert read == pytest.approx(values[int(share * len(values))], rel=RATIO - 1)


def test_a_few_measurements_say_nothing() -> None:
    latencies = Latencies(Clock(1_000_000.0))
    for _ in range(LEAST_COUNT - 1):
        latencies.note("A", 1.0)
    assert latencies.quantile("A", 0.95) is None
    latencies.note("A", 1.0)
    assert latencies.quantile("A", 0.95) == pytest.approx(1.0, rel=0.05)
    assert latencies.quantile("B", 0.95) is None


def test_what_others_measured_counts_as_ours_does() -> None:
    latencies = Latencies(Clock(1_000_000.0))
    latencies.learn({"A": Counter({bucket_of(2.0): LEAST_COUNT})})
    assert latencies.quantile("A", 0.5) == pytest.approx(2.0, rel=0.05)


def test_what_others_told_grows_old_when_nobody_tells_anything_anew() -> None:
    clock = Clock(1_000_000.0)
    latencies = Latencies(clock)
    latencies.learn({"A": Counter({bucket_of(9.0): 1000})})
    clock.now += SLOT_SECONDS * SLOTS - 1.0
    for _ in range(LEAST_COUNT):
        latencies.note("A", 0.1)
    assert latencies.quantile("A", 0.5) == pytest.approx(9.0, rel=0.05)
    clock.now += 1.0
    assert latencies.quantile("A", 0.5) == pytest.approx(0.1, rel=0.05)
    latencies.learn({"A": Counter({bucket_of(9.0): 1000})})
    assert latencies.quantile("A", 0.5) == pytest.approx(9.0, rel=0.05), "it is there again"


@pytest.mark.parametrize("jump", [-1.0, 1.0])
def test_a_small_step_of_the_clock_forgets_nobody(jump: float) -> None:
    clock = Clock(1_000_000.0)
    latencies = Latencies(clock)
    latencies.learn({"A": Counter({bucket_of(2.0): LEAST_COUNT})})
    clock.now += jump
    assert latencies.quantile("A", 0.5) == pytest.approx(2.0, rel=0.05)


def test_only_the_last_minutes_count() -> None:
    clock = Clock(1_000_000.0)
    latencies = Latencies(clock)
    for _ in range(LEAST_COUNT):
        latencies.note("A", 9.0)
    clock.now += SLOT_SECONDS * SLOTS
    assert latencies.quantile("A", 0.5) is None
    for _ in range(LEAST_COUNT):
        latencies.note("A", 0.1)
    assert latencies.quantile("A", 0.99) == pytest.approx(0.1, rel=0.05)


def test_a_clock_that_jumps_back_leaves_nothing_that_stays() -> None:
    clock = Clock(1_000_000.0)
    latencies = Latencies(clock)
    for _ in range(LEAST_COUNT):
        latencies.note("A", 9.0)
    clock.now -= 100 * SLOT_SECONDS
    for _ in range(LEAST_COUNT):
        latencies.note("A", 0.1)
    clock.now += 100 * SLOT_SECONDS
    latencies.note("A", 0.1)
    assert latencies.quantile("A", 0.5) is None
    assert len(latencies.news) == 1


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9])
def test_no_time_at_all_is_the_first_bucket(seconds: float) -> None:
    assert bucket_of(seconds) == bucket_of(0.001)
