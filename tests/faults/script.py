"""What the directed model is told to answer, in the words of the message that asks it, and when to stand still."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from tests.provider_behaviour import words


@dataclass(frozen=True, slots=True)
class Script:
    """`id` names its gate; `text` is the whole answer, however many calls it takes."""

    id: str
    behaviour: str
    text: str

    @property
    def said(self) -> str:
        """The user's message."""
        return f"Tell me. script:{self.behaviour}"


def script(seed: int, count: int, *how: str, name: str = "") -> Script:
    """`count` words of `seed`; `how` as in tests/provider_behaviour.py, e.g. "rate-50", "gate-end"."""
    chosen = name or uuid4().hex[:12]
    return Script(chosen, "+".join([f"text-{seed}-{count}", *how, f"id-{chosen}"]), "".join(words(seed, count)))
