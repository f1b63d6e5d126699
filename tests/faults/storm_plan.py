"""What a storm does, from its seed alone: who says what by which door, and what breaks after how many answers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.cells import Path

WORDS, RATES, FIRST_MS, THINK_SECONDS = (40, 160), (25, 80), (0, 600), (0.0, 0.8)


class Kind(StrEnum):
    WORKER_KILLED = "worker killed"
    REDIS_KILLED = "Redis killed"
    REDIS_STALLED = "Redis stalled"
    REDIS_FLUSHED = "Redis flushed"


REDIS = (Kind.REDIS_KILLED, Kind.REDIS_STALLED, Kind.REDIS_FLUSHED)


@dataclass(frozen=True, slots=True)
class Turn:
    path: Path
    seed: int
    words: int
    rate: int
    first_ms: int
    think_seconds: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Strikes once `after` conversations have ended; `worker` is the one that is killed."""

    after: int
    kind: Kind
    worker: int


@dataclass(frozen=True, slots=True)
class Plan:
    turns: tuple[Turn, ...]
    troubles: tuple[Trouble, ...]


def plan(seed: int, *, conversations: int, workers: int, kills: int, redis_faults: int) -> Plan:
    chance = random.Random(seed)
    turns = tuple(_turn(chance) for _ in range(conversations))
    kinds = [Kind.WORKER_KILLED] * kills + [chance.choice(REDIS) for _ in range(redis_faults)]
    chance.shuffle(kinds)
    moments = sorted(chance.randrange(conversations * 19 // 20) for _ in kinds)
    pairs = zip(moments, kinds, strict=True)
    return Plan(turns, tuple(Trouble(after, kind, chance.randrange(workers)) for after, kind in pairs))


def _turn(chance: random.Random) -> Turn:
    return Turn(
        chance.choice([*Path]), chance.randrange(10**6), chance.randint(*WORDS), chance.randint(*RATES),
        chance.randint(*FIRST_MS), chance.uniform(*THINK_SECONDS),
    )
