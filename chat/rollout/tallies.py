"""Counts: so many of so many were bad."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    requests: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.requests:
            raise ValueError(f"{self.bad} bad ones of {self.requests} cannot be")

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.requests + other.requests, self.bad + other.bad)

    @property
    def share(self) -> float:
        return self.bad / self.requests if self.requests else 0.0


NONE = Tally()
