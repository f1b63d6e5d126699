"""A few words out of a longer text, for cards and strips. Pure; knows no model."""

from __future__ import annotations

import re

#: What a character says aloud, in any of the quotation marks that the browser styles.
SPEECH = re.compile(r'["＂]([^"＂\n]+)["＂]|“([^”\n]+)”|「([^」\n]+)」|『([^』\n]+)』|«([^»\n]+)»')
SENTENCE_END = re.compile(r"(?<=[.!?…。])\s+")
#: Shorter speech ("…", "응.") says too little by itself.
SPOKEN_MIN_CHARS = 8


def opening_line(greeting: str, max_chars: int = 110) -> str:
    """What a greeting says first: its first spoken words worth quoting, else its first sentence."""
    for match in SPEECH.finditer(greeting):
        spoken = next(group for group in match.groups() if group)
        if len(spoken) >= SPOKEN_MIN_CHARS:
            return f"“{shorten(spoken, max_chars)}”"
    return shorten(SENTENCE_END.split(plain(greeting), maxsplit=1)[0], max_chars)


def plain(text: str) -> str:
    """One line without the marks of actions and emphasis."""
    return " ".join(text.replace("*", "").split())


def shorten(text: str, max_chars: int) -> str:
    """At most `max_chars` code points, cut between words where there is a space to cut at."""
    text = text.strip()
    if len(text) <= max_chars:
        return text
    head = text[: max_chars - 1]
    cut = head.rfind(" ")
    return f"{head[:cut] if cut > max_chars // 2 else head}…"
