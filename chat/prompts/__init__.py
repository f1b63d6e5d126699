"""From a card and a story to what a model is sent: pure functions over pure values, no Django."""

from __future__ import annotations

from chat.prompts.build import build_prompt, tail_for
from chat.prompts.head import render_head
from chat.prompts.templates import CURRENT_VERSION
from chat.prompts.values import Budget, BuiltPrompt, Head, Parts, Prompt, PromptMessage, Role, Tail, Turn

__all__ = [
    "CURRENT_VERSION", "Budget", "BuiltPrompt", "Head", "Parts", "Prompt", "PromptMessage", "Role", "Tail",
    "Turn", "build_prompt", "render_head", "tail_for",
]
