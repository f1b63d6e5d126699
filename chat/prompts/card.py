"""What a prompt takes from a character card: other people's JSON, so every field is read with suspicion. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from chat.macros import resolve
from chat.prompts.values import Lorebook, LoreEntry

CardData = Mapping[str, Any]

_EXAMPLE_START = re.compile(r"<START>", re.IGNORECASE)
_SCAN_MESSAGES, _SCAN_MESSAGES_MAX = 4, 50
_LORE_TOKENS, _LORE_TOKENS_MAX = 512, 4096


@dataclass(frozen=True, slots=True)
class Names:
    """Who is who, and the seed that decides every random macro of the room."""

    user: str
    char: str
    seed: int

    def resolve(self, text: str, original: str | None = None) -> str:
        return resolve(text, user=self.user, char=self.char, seed=self.seed, original=original)


def names(card: CardData, persona_name: str, seed: int) -> Names:
    """A V3 nickname replaces {{char}}."""
    return Names(persona_name, text(card, "nickname") or text(card, "name"), seed)


def text(source: CardData, key: str) -> str:
    """The field as text without surrounding space and with plain line ends; "" when it is anything else."""
    value = source.get(key)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def examples(card: CardData) -> list[str]:
    """The example dialogues, one text each."""
    return [part.strip() for part in _EXAMPLE_START.split(text(card, "mes_example")) if part.strip()]


def lorebook(card: CardData, names: Names) -> Lorebook:
    """The enabled entries that say something. Regex keys are taken literally: nobody else's regex runs here."""
    book = card.get("character_book")
    if not isinstance(book, Mapping) or not isinstance(book.get("entries"), list):
        return Lorebook()
    return Lorebook(
        entries=tuple(found for raw in book["entries"] if isinstance(raw, Mapping) and (found := _entry(raw, names))),
        scan_messages=_whole(book, "scan_depth", _SCAN_MESSAGES, _SCAN_MESSAGES_MAX),
        max_tokens=_whole(book, "token_budget", _LORE_TOKENS, _LORE_TOKENS_MAX),
    )


def _entry(raw: CardData, names: Names) -> LoreEntry | None:
    content = names.resolve(_without_decorators(text(raw, "content"))).strip()
    if not content or raw.get("enabled") is False:
        return None
    return LoreEntry(
        content=content,
        keys=_texts(raw, "keys", names),
        secondary_keys=_texts(raw, "secondary_keys", names) if raw.get("selective") is True else (),
        is_constant=raw.get("constant") is True,
        order=_whole(raw, "insertion_order", 0, None),
        priority=_whole(raw, "priority", 0, None),
        name=text(raw, "name") or text(raw, "comment") or content[:24],
    )


def _without_decorators(content: str) -> str:
    """V3 decorators stand in the first lines, each beginning with @@."""
    lines = content.split("\n")
    while lines and lines[0].startswith("@@"):
        lines.pop(0)
    return "\n".join(lines).strip()


def _texts(raw: CardData, key: str, names: Names) -> tuple[str, ...]:
    values = raw.get(key)
    if not isinstance(values, list):
        return ()
    return tuple(names.resolve(value).strip() for value in values if isinstance(value, str) and value.strip())


def _whole(raw: CardData, key: str, default: int, most: int | None) -> int:
    """A whole number; where there is a `most`, between 0 and it."""
    value = raw.get(key)
    if isinstance(value, float) and not isfinite(value):
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(value) if most is None else max(0, min(int(value), most))
