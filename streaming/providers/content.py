"""Content of one stream as every layer after us can hold it.

No NUL (databases refuse it) and no half of a surrogate pair (UTF-8 does): some servers cut an emoji's
JSON escape in two, and msgspec rightly refuses the halves.
"""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from streaming.providers.refusals import garbage

T = TypeVar("T")


def decode(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Typed decode of one payload; raises `provider_garbage`."""
    try:
        return decoder.decode(payload)
    except (ValueError, RecursionError):
        return _decode_slowly(payload, decoder.type)


def _decode_slowly(payload: bytes, kind: type[T]) -> T:
    try:
        return msgspec.convert(json.loads(payload), kind)
    except (ValueError, RecursionError) as error:
        raise garbage(f"{error} in {payload[:80]!r}") from error


def fitting(usage: object, kind: type[T]) -> T | None:
    """What a provider says of its tokens. What does not fit was not said: no answer is spoiled by its bill."""
    try:
        return None if usage is None else msgspec.convert(usage, kind)
    except msgspec.ValidationError:
        return None


class Content:
    """Pieces go in one by one, a batch comes out joined."""

    __slots__ = ("_half", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    def take(self) -> tuple[str, int]:
        """What was added since the last time, and how many pieces it was."""
        pieces = self._pieces
        if not pieces:
            return "", 0
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        self._pieces = []
        if "\x00" in text:
            text = text.replace("\x00", "")
        if self._half or not _is_sound(text):
            text = self._mended(text)
        return text, len(pieces)

    def _mended(self, text: str) -> str:
        """Halves that meet become a character, a first half waits for its second, others become U+FFFD."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_sound(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
