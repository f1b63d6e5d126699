"""A model whose first words have a long tail."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator

from streaming.providers.base import Finished, Mark, Piece, Prompt, Text, unmarked

P50_SECONDS, P95_SECONDS = 0.5, 2.5
STALLS = 0.02
STALL_SECONDS = 60.0
#: ln(p95 / p50) over the normal distribution's 95 % point.
SIGMA = math.log(P95_SECONDS / P50_SECONDS) / 1.6448536


def seconds_drawn(chance: random.Random) -> float:
    """Lognormal, with stalls."""
    is_stalled = chance.random() < STALLS
    drawn = chance.lognormvariate(math.log(P50_SECONDS), SIGMA)
    return STALL_SECONDS if is_stalled else drawn


class Tail:
    """Every call draws its own time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def generate(self, prompt: Prompt, *, stream: bool, mark: Mark = unmarked) -> AsyncGenerator[Piece]:
        await asyncio.sleep(seconds_drawn(self._chance))
        yield Text("Rain.")
        yield Finished("stop")

    async def warm(self) -> None: ...
