"""Where an answer's continuation meets the text it continues. Pure; knows no provider and no prompt."""

from __future__ import annotations

#: A repeat must be this long to be told from chance, in bytes of UTF-8: some words, in any script.
REPEAT_MIN_BYTES = 16
#: A model that was given the beginning as its own repeats it only by mistake: more evidence is asked for.
PREFILL_REPEAT_MIN_BYTES = 64
#: How far back a repeat is looked for, code points.
LOOKBACK_CHARS = 8_000


class Seam:
    """Cuts from the new text what only repeats the end of the old one.

    Holds text back while it may still turn out to be a repeat; `close` gives what is held at the end.
    Without a repeat, not a character is lost.
    """

    def __init__(self, old: str, *, min_bytes: int) -> None:
        self._old = old[-LOOKBACK_CHARS:]
        self._min_bytes = min_bytes
        self._head = ""
        self._is_past = not old

    def feed(self, piece: str) -> str:
        """What may be shown now; perhaps nothing."""
        if self._is_past:
            return piece
        self._head += piece
        # Still a run of the old text, word for word: it may yet reach the old text's end.
        if self._head.lstrip() in self._old:
            return ""
        return self.close()

    def close(self) -> str:
        """Decide on what is held."""
        head, self._head, self._is_past = self._head, "", True
        return head[repeated_length(self._old, head, self._min_bytes) :]


def repeated_length(old: str, new: str, min_bytes: int) -> int:
    """How many code points at the start of `new` only repeat the end of `old`; 0 when there is doubt."""
    text = new.lstrip()
    # No shorter repeat can have `min_bytes`: a code point has at most four.
    probe = text[: max(1, min_bytes // 4)]
    at = old.find(probe)
    while at >= 0:
        if text.startswith(old[at:]):
            return len(new) - len(text) + len(old) - at if _is_telling(old[at:], min_bytes) else 0
        at = old.find(probe, at + 1)
    return 0


def _is_telling(repeat: str, min_bytes: int) -> bool:
    """Long enough, and no chant: "ha ha ha" after "ha ha ha" is more of it, not the same again."""
    return len(repeat.encode("utf-8", "replace")) >= min_bytes and _period(repeat) > len(repeat) // 2


def _period(text: str) -> int:
    return (text + text).find(text, 1)
