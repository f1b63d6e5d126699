"""How bad the network is between two programs, as tests/faultproxy.py makes it. Moves no byte itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Weather:
    """How the network is now. `limit`: bytes of a connection's answers that pass before they are held, or cut."""

    is_stalled: bool = False
    limit: int | None = None
    cuts: bool = False
    denied: tuple[bytes, ...] = ()
    delay_seconds: float = 0.0
    bytes_per_second: float = 0.0
    #: Set and replaced whenever something here changes.
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def portion(self, answered: int, count: int) -> int:
        """How many of `count` more bytes may go now."""
        if self.is_stalled:
            return 0
        return count if self.limit is None else max(0, min(count, self.limit - answered))

    def seconds_for(self, count: int) -> float:
        return self.delay_seconds + (count / self.bytes_per_second if self.bytes_per_second else 0.0)
