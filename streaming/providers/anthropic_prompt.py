"""A prompt in the shape that Anthropic's messages demand: system apart, user first, roles in turn. Pure."""

from __future__ import annotations

from streaming.providers.base import Prompt
from streaming.providers.prefill import sent

#: The first turn must be the user's, and a character's greeting is not.
OPENING = "[The story begins.]"
_INSTRUCTIONS = "<instructions>\n{}\n</instructions>"
_BREAKPOINT = {"type": "ephemeral"}

Block = dict[str, object]


def system_of(prompt: Prompt, *, is_cached: bool) -> list[Block]:
    """The system messages at the head, as one block; the cache may keep everything up to it."""
    head = prompt.messages[: _head_length(prompt)]
    if not head:
        return []
    block = _block("\n\n".join(message.content for message in head))
    return [block | {"cache_control": _BREAKPOINT}] if is_cached else [block]


def messages_of(prompt: Prompt, *, is_cached: bool) -> list[dict[str, object]]:
    """The turns, the prefill last. A later system message joins the user's turn: the dialect has no other place."""
    turns: list[tuple[str, list[Block]]] = []
    for message in prompt.messages[_head_length(prompt) :]:
        role = "assistant" if message.role == "assistant" else "user"
        if not turns and role == "assistant":
            turns.append(("user", [_block(OPENING)]))
        text = _INSTRUCTIONS.format(message.content) if message.role == "system" else message.content
        if turns and turns[-1][0] == role:
            turns[-1][1].append(_block(text))
        else:
            turns.append((role, [_block(text)]))
    if prefill := sent(prompt.prefill):
        turns.append(("assistant", [_block(prefill)]))
    if is_cached:
        _mark_last_but_one(turns)
    return [{"role": role, "content": blocks} for role, blocks in turns]


def _head_length(prompt: Prompt) -> int:
    roles = (index for index, message in enumerate(prompt.messages) if message.role != "system")
    return next(roles, len(prompt.messages))


def _mark_last_but_one(turns: list[tuple[str, list[Block]]]) -> None:
    """Up to the last-but-one user turn nothing changes with the next request."""
    of_user = [blocks for role, blocks in turns if role == "user"]
    if len(of_user) > 1:
        of_user[-2][-1]["cache_control"] = _BREAKPOINT


def _block(text: str) -> Block:
    return {"type": "text", "text": text}
