"""A clock that stands until a test moves it, for whoever takes `time.monotonic` or its like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
