"""Sentences that are made in one place and read in another, perhaps in another language. Knows no Django.

A saying is its English text, and remembers the template and the values it was made of: it is logged and compared as a
string, kept as JSON, and said in the language of whoever looks, long afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Those that are strings are translated, too, if they are sayings.
Value = str | int | float


class Saying(str):
    """Made by `N_`."""

    template: str
    values: Mapping[str, Value]


def N_(template: str, /, **values: Value) -> Saying:
    return _made(template, values)


def say(text: str, translate: Callable[[str], str]) -> str:
    """In the language of `translate`; what is no saying, as it is."""
    if not isinstance(text, Saying):
        return text
    values = {name: say(value, translate) if isinstance(value, str) else value for name, value in text.values.items()}
    return translate(text.template).format(**values)


def keep(text: str) -> Any:
    """As JSON, for `kept`."""
    if not isinstance(text, Saying):
        return text
    values = {name: keep(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return {"template": text.template, "values": values}


def kept(found: Any) -> str:
    """What `keep` made; a plain string is what somebody wrote, or an older release."""
    if not isinstance(found, dict):
        return str(found)
    values = {name: kept(value) if isinstance(value, dict) else value for name, value in found["values"].items()}
    return _made(found["template"], values)


# Internal


def _made(template: str, values: Mapping[str, Value]) -> Saying:
    made = Saying(template.format(**values))
    made.template, made.values = template, values
    return made
