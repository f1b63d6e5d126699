"""A prompt as Anthropic's messages: blocks of text, with marks for what its prompt cache may keep. Pure."""

from __future__ import annotations

from streaming.providers import alternating
from streaming.providers.base import Prompt

_BREAKPOINT = {"type": "ephemeral"}

Block = dict[str, object]


def system_of(prompt: Prompt, *, is_cached: bool) -> list[Block]:
    """The head, as one block; the cache may keep everything up to it."""
    head = alternating.system_of(prompt)
    if not head:
        return []
    return [_block(head) | {"cache_control": _BREAKPOINT}] if is_cached else [_block(head)]


def messages_of(prompt: Prompt, *, is_cached: bool) -> list[dict[str, object]]:
    turns = [(role, [_block(text) for text in texts]) for role, texts in alternating.turns_of(prompt)]
    if is_cached:
        _mark_last_but_one([blocks for role, blocks in turns if role == "user"])
    return [{"role": role, "content": blocks} for role, blocks in turns]


def _mark_last_but_one(of_user: list[list[Block]]) -> None:
    """Up to the last-but-one user turn nothing changes with the next request."""
    if len(of_user) > 1:
        of_user[-2][-1]["cache_control"] = _BREAKPOINT


def _block(text: str) -> Block:
    return {"type": "text", "text": text}
