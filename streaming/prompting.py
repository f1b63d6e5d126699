"""From a room's context to what each route is sent. The budget is the route's own; the order is the builder's."""

from __future__ import annotations

from dataclasses import dataclass

from chat.prompts import Budget, BuiltPrompt, Head, Prompt, build_prompt, tail_for
from chat.tokens import token_factor
from streaming.providers.base import Mark, Route, unmarked
from streaming.turns import PromptContext


@dataclass(slots=True)
class RoomPrompts:
    """Builds a prompt for any route of the chain; the first one built decides where the window starts."""

    context: PromptContext
    mark: Mark = unmarked
    _window_start: int | None = None

    @property
    def window_start(self) -> int:
        """A smaller route that steps in must not make the room forget: only the first one moves it."""
        return self.context.window_start if self._window_start is None else self._window_start

    def build(self, route: Route, text_so_far: str) -> Prompt:
        """Raises Refused("context_too_long") when the newest turn alone does not fit this route."""
        built = self._built(route, text_so_far)
        self.mark("prompt_built")
        if self._window_start is None:
            self._window_start = built.window_start
        return built.prompt

    def _built(self, route: Route, prefill: str) -> BuiltPrompt:
        context = self.context
        return build_prompt(
            Head(context.head, context.head_tokens, context.prompt_version),
            context.turns,
            tail=tail_for(
                context.card, user_note=context.user_note, persona_name=context.persona_name, seed=context.seed
            ),
            budget=Budget(
                context_tokens=route.max_context_tokens, output_tokens=route.max_output_tokens,
                token_factor=token_factor(route.model, context.language),
            ),
            window_start=context.window_start, language=context.language, cache_key=context.cache_key,
            prefill=prefill, can_prefill=route.can_prefill,
        )
