"""Which part of the story is still sent. Cut rarely and deep: every cut costs the provider's whole cache. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chat.prompts.values import Turn
from chat.tokens import FRAME_TOKENS

#: A cut goes down to this share of the room there is for history, so that many turns pass before the next one.
CUT_TO = 0.6


def choose(history: Sequence[Turn], window_start: int, room_tokens: int) -> tuple[Sequence[Turn], bool]:
    """The turns to send, and whether the window moved. The newest turn is always among them, fitting or not.

    A window that begins after the end of the story (it was rewound) starts over.
    """
    turns = [turn for turn in history if turn.position >= window_start] or list(history)
    if cost(turns) <= room_tokens:
        return turns, False
    return turns[_cut(turns, int(room_tokens * CUT_TO)) :], True


def cost(turns: Sequence[Turn]) -> int:
    return sum([turn.tokens for turn in turns]) + FRAME_TOKENS * len(turns)


def _cut(turns: Sequence[Turn], target_tokens: int) -> int:
    """The first index from which the rest fits the target and begins with the user; else the newest turn's."""
    left = cost(turns)
    for index, turn in enumerate(turns[:-1]):
        if index and turn.role == "user" and left <= target_tokens:
            return index
        left -= turn.tokens + FRAME_TOKENS
    return len(turns) - 1
