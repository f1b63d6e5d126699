"""Macros of character cards, resolved once with a seed: the same room always gets the same text. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

#: Innermost first: no braces inside.
_MACRO = re.compile(r"\{\{([^{}]*)\}\}")
_ANGLE = re.compile(r"<(user|bot|char)>", re.IGNORECASE)
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_DICE_SIDES_MAX = 1_000_000
#: Macros inside macros are resolved so many levels deep; a card cannot make us loop for longer.
_NESTING_MAX = 4


def resolve(text: str, *, user: str, char: str, seed: int, original: str | None = None) -> str:
    """`text` with its macros replaced; what we do not know is left as it stands.

    `seed` decides every {{random}}, {{pick}} and {{roll}}. `original` is what {{original}} stands for
    (in a card's system prompt and post-history instructions only); None leaves it literally.
    """
    if "{{" not in text and "<" not in text:
        return text
    names = _Macros(_plain(user), _plain(char), original, random.Random(f"{seed}:{text}"))
    text = _ANGLE.sub(lambda match: names.user if match[1].lower() == "user" else names.char, text)
    for _ in range(_NESTING_MAX):
        text = _MACRO.sub(names.replace, text)
    return text


def _plain(name: str) -> str:
    """A name without braces: what a person calls themselves is never read as a macro."""
    return name.replace("{", "").replace("}", "")


@dataclass(slots=True)
class _Macros:
    user: str
    char: str
    original: str | None
    dice: random.Random
    by_name: dict[str, Callable[[str], str | None]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {
            "random": self._choose, "pick": self._choose, "roll": self._roll,
            "reverse": lambda argument: argument[::-1],
            **dict.fromkeys(("comment", "hidden_key", "//"), lambda _: ""),
        }

    def replace(self, match: re.Match[str]) -> str:
        body = match[1].strip()
        fixed = {"user": self.user, "char": self.char, "bot": self.char, "original": self.original}.get(body.lower())
        if fixed is not None:
            return fixed
        name, argument = _split(body)
        handler = self.by_name.get(name.lower())
        replacement = handler(argument) if handler else None
        return match[0] if replacement is None else replacement

    def _choose(self, argument: str) -> str | None:
        choices = list(_choices(argument))
        return self.dice.choice(choices) if choices else None

    def _roll(self, argument: str) -> str | None:
        sides = argument.strip().lower().removeprefix("1d").removeprefix("d")
        if not sides.isdecimal() or len(sides) > 7 or not 1 <= int(sides) <= _DICE_SIDES_MAX:
            return None
        return str(self.dice.randint(1, int(sides)))


def _split(body: str) -> tuple[str, str]:
    """("random", "a,b") of "random:a,b"; ("//", "text") of a comment."""
    if body.startswith("//"):
        return "//", body[2:]
    name, _, argument = body.partition(":")
    return name.strip(), argument


def _choices(argument: str) -> Iterable[str]:
    """Separated by commas (`\\,` is a comma) or, as the wild does, by `::`."""
    if argument.startswith(":") or "::" in argument:
        parts = argument.removeprefix(":").split("::")
    else:
        parts = _UNESCAPED_COMMA.split(argument)
    return (part.replace("\\,", ",").strip() for part in parts if part.strip())
