"""The text the provider writes: units that carry their own number and the moment they were sent.

A unit is `00017 00001234567890.`: five digits of index, a space, fourteen digits of microseconds of
CLOCK_MONOTONIC (one clock for every process of a machine), a full stop. Unit 0 carries the moment the provider
received the request and travels with unit 1, the first token, so no side channel is needed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

UNIT_CHARS = 21
_MARK = "~pace "


def now_micros() -> int:
    return time.monotonic_ns() // 1000


def unit(index: int, micros: int) -> str:
    return f"{index:05d} {micros:014d}."


def read_units(text: str) -> list[tuple[int, int]]:
    """(index, microseconds) of every unit; ValueError when the text is not whole units."""
    if len(text) % UNIT_CHARS:
        raise ValueError(f"{len(text)} characters are not whole units")
    return [
        (int(text[at : at + 5]), int(text[at + 6 : at + 20])) for at in range(0, len(text), UNIT_CHARS)
    ]


@dataclass(frozen=True, slots=True)
class Pace:
    """How one answer is written: `tokens` at `rate` a second, the first after `delay_ms`.

    It travels inside the user's message, so the provider needs no state and one server can be asked
    for several paces at once.
    """

    tokens: int
    rate: float
    delay_ms: int

    @property
    def seconds(self) -> float:
        """How long the provider takes over the whole answer."""
        return self.delay_ms / 1000 + self.tokens / self.rate

    def message(self) -> str:
        return f"{_MARK}{self.tokens} {self.rate:g} {self.delay_ms}~"

    @staticmethod
    def find(body: bytes) -> Pace:
        """The pace in the newest message of a request body; ValueError without one."""
        start = body.rindex(_MARK.encode()) + len(_MARK)
        tokens, rate, delay_ms = body[start : body.index(b"~", start)].split(b" ")
        return Pace(int(tokens), float(rate), int(delay_ms))
