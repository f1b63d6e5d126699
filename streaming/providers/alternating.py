"""A prompt in the shape that stricter dialects demand: system apart, user first, roles in turn. Pure."""

from __future__ import annotations

from typing import Literal

from streaming.providers.base import Prompt
from streaming.providers.prefill import sent

#: The first turn must be the user's, and a character's greeting is not.
OPENING = "[The story begins.]"
_INSTRUCTIONS = "<instructions>\n{}\n</instructions>"

#: Whose turn it is, and its texts.
Turn = tuple[Literal["user", "assistant"], list[str]]


def system_of(prompt: Prompt) -> str:
    """The system messages at the head; perhaps empty."""
    return "\n\n".join(message.content for message in prompt.messages[: _head_length(prompt)])


def turns_of(prompt: Prompt) -> list[Turn]:
    """The turns, the prefill last. A later system message joins the user's turn: there is no other place for it."""
    turns: list[Turn] = []
    for message in prompt.messages[_head_length(prompt) :]:
        if not turns and message.role == "assistant":
            turns.append(("user", [OPENING]))
        role: Literal["user", "assistant"] = "assistant" if message.role == "assistant" else "user"
        text = _INSTRUCTIONS.format(message.content) if message.role == "system" else message.content
        if turns and turns[-1][0] == role:
            turns[-1][1].append(text)
        else:
            turns.append((role, [text]))
    if prefill := sent(prompt.prefill):
        turns.append(("assistant", [prefill]))
    return turns


def _head_length(prompt: Prompt) -> int:
    roles = (index for index, message in enumerate(prompt.messages) if message.role != "system")
    return next(roles, len(prompt.messages))
