"""Which lore a story has just touched upon: keys in the newest messages, within a token budget. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from chat.prompts.values import Lorebook, LoreEntry, Turn
from chat.tokens import count_tokens

#: Enough of a long message to see what it is about.
_SCAN_CHARS = 8000


def triggered(book: Lorebook, history: Sequence[Turn], budget_tokens: int) -> list[LoreEntry]:
    """Entries to insert, in their order: the important ones first while they fit, then sorted by place."""
    if not book.entries or not book.scan_messages:
        return []
    said = "\n".join(turn.text[:_SCAN_CHARS] for turn in history[-book.scan_messages :]).casefold()
    packed = _packed(said)
    found = [entry for entry in book.entries if not entry.is_constant and _touches(entry, said, packed)]
    return sorted(_within(found, min(budget_tokens, book.max_tokens)), key=lambda entry: entry.order)


def _touches(entry: LoreEntry, said: str, packed: str) -> bool:
    if not any(_occurs(key, said, packed) for key in entry.keys):
        return False
    return not entry.secondary_keys or any(_occurs(key, said, packed) for key in entry.secondary_keys)


def _occurs(key: str, said: str, packed: str) -> bool:
    """ASCII keys as words, with a plural or possessive; others anywhere, since Korean glues particles to nouns."""
    if key.isascii():
        return _word(key).search(said) is not None
    return _packed(key.casefold()) in packed


def _packed(text: str) -> str:
    return "".join(text.split())


@lru_cache(maxsize=4096)
def _word(key: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in key.casefold().split())
    return re.compile(rf"(?<![a-z0-9]){words}(?:'?s|es)?(?![a-z0-9])")


def _within(entries: Iterable[LoreEntry], budget_tokens: int) -> Iterable[LoreEntry]:
    """Higher priority first; of equals the one placed later, as it matters more to the card's author."""
    left = budget_tokens
    for entry in sorted(entries, key=lambda entry: (entry.priority, entry.order), reverse=True):
        # One for the line break that joins it.
        cost = count_tokens(entry.content) + 1
        if cost <= left:
            left -= cost
            yield entry
