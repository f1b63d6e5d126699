"""Head, story and tail become one prompt, in the order that providers' prefix caches like. Pure.

static head → turns, byte-identical to what was sent before → volatile tail, after the newest user text.
Turn t without its tail is a byte prefix of turn t+1, until the window is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from chat.errors import Refused
from chat.prompts import card as cards
from chat.prompts import lore, window
from chat.prompts.card import CardData
from chat.prompts.templates import Template, template
from chat.prompts.values import Budget, BuiltPrompt, Head, LoreEntry, Parts, Prompt, PromptMessage, Tail, Turn
from chat.tokens import FRAME_TOKENS, count_tokens


def tail_for(card_data: CardData, *, user_note: str, persona_name: str, seed: int) -> Tail:
    """The volatile part as the card and the room stand now. `seed` is the one the head was rendered with."""
    names = cards.names(card_data, persona_name, seed)
    return Tail(
        book=cards.lorebook(card_data, names),
        user_note=names.resolve(user_note.strip()),
        # The app has no post-history instructions of its own: {{original}} is nothing.
        post_history=names.resolve(cards.text(card_data, "post_history_instructions"), original="").strip(),
    )


def build_prompt(
    head: Head,
    history: Sequence[Turn],
    *,
    tail: Tail,
    budget: Budget,
    window_start: int,
    language: str,
    cache_key: str = "",
    prefill: str = "",
    can_prefill: bool = True,
) -> BuiltPrompt:
    """`history` ascending, ending with the user's newest turn (or empty: the answer opens the story).

    `prefill` is the text the answer already has; for a route that cannot be given one it becomes an
    instruction to go on. Raises Refused("context_too_long") when even the newest turn alone does not
    fit: cutting out of the middle of what a person wrote would answer something they did not say.
    """
    words = template(head.version, language)
    given = _given_tokens(words, prefill, can_prefill=can_prefill)
    fixed = head.tokens + _tokens_of(words.opening) + FRAME_TOKENS
    found = lore.triggered(tail.book, history, _room_for_lore(budget.limit - fixed - given, tail, history))
    memo = _memo(words, tail, found)
    memo_tokens = count_tokens(memo)
    room = budget.limit - fixed - given - memo_tokens
    turns, was_cut = window.choose(history, window_start, room)
    cost = window.cost(turns)
    if cost > room:
        raise Refused("context_too_long", "The newest message does not fit into what the model can read at once.")
    prompt = Prompt(
        messages=(*_messages(head, words, turns, memo), *_asked_to_go_on(words, prefill, can_prefill=can_prefill)),
        max_tokens=budget.output_tokens, prefill=prefill if can_prefill else "", cache_key=cache_key,
    )
    return BuiltPrompt(
        prompt=prompt,
        parts=Parts(head=fixed, history=cost, tail=memo_tokens, prefill=given),
        window_start=turns[0].position if was_cut else min([window_start, *(turn.position for turn in turns[:1])]),
        was_cut=was_cut,
        opening=words.opening,
        lore=tuple(entry.name for entry in found),
    )


#: Of our own words, which are few.
_tokens_of = lru_cache(maxsize=64)(count_tokens)


def _given_tokens(words: Template, prefill: str, *, can_prefill: bool) -> int:
    """What the text the answer already has, and the words around it, take."""
    if not prefill:
        return 0
    around = 0 if can_prefill else _tokens_of(words.continuation) + FRAME_TOKENS
    return count_tokens(prefill) + FRAME_TOKENS + around


def _room_for_lore(room_tokens: int, tail: Tail, history: Sequence[Turn]) -> int:
    """An eighth of the room at most, and never at the cost of the newest turn or of what a person asked for."""
    asked = count_tokens(tail.user_note) + count_tokens(tail.post_history) + 4 * FRAME_TOKENS
    return max(0, min(room_tokens // 8, room_tokens - asked - window.cost(history[-1:])))


def _memo(words: Template, tail: Tail, found: Sequence[LoreEntry]) -> str:
    """What is added after the newest user text; "" in most turns, which then extend the last ones' bytes exactly."""
    lines = [f"- {entry.content}" for entry in found]
    if tail.user_note:
        lines.append(words.user_note + tail.user_note)
    if tail.post_history:
        lines.append(tail.post_history)
    return "\n".join(["", "", words.notes, *lines]) if lines else ""


def _messages(head: Head, words: Template, turns: Sequence[Turn], memo: str) -> list[PromptMessage]:
    """Roles alternate and the first turn is the user's, as the strictest provider wants it."""
    messages = [PromptMessage("system", head.text)]
    if not turns or turns[0].role == "assistant":
        messages.append(PromptMessage("user", words.opening))
    for turn in turns:
        if messages[-1].role == turn.role:
            messages[-1] = PromptMessage(turn.role, f"{messages[-1].content}\n\n{turn.text}")
        else:
            messages.append(PromptMessage(turn.role, turn.text))
    newest = messages[-1]
    if newest.role != "user":
        raise ValueError("A prompt ends with the user's turn.")
    return [*messages[:-1], PromptMessage("user", newest.content + memo)]


def _asked_to_go_on(words: Template, prefill: str, *, can_prefill: bool) -> list[PromptMessage]:
    if not prefill or can_prefill:
        return []
    return [PromptMessage("assistant", prefill), PromptMessage("user", words.continuation)]
