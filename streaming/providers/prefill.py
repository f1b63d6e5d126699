"""The beginning of an answer as it is given to a model, and what comes back. Pure.

It is sent without white space at its end: some servers refuse it, and to others it is half a token.
"""

from __future__ import annotations

from itertools import takewhile


def sent(prefill: str) -> str:
    return prefill.rstrip()


class SpaceSeam:
    """White space that was cut off the prefill must not come back with the continuation."""

    def __init__(self, prefill: str) -> None:
        self._owed = prefill[len(sent(prefill)) :]

    def cut(self, text: str) -> str:
        if not self._owed:
            return text
        repeated = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._owed, text, strict=False)))
        self._owed = self._owed[repeated:] if repeated == len(text) else ""
        return text[repeated:]


def only_new(text: str, prefill: str) -> str:
    """A completed answer's continuation: llama.cpp repeats the prefill there, though not when it streams."""
    return SpaceSeam(prefill).cut(text.removeprefix(sent(prefill)))
