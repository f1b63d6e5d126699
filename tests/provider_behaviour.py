"""What a scripted model does, read from its name, so that a test configures it by the route alone.

A name is tokens joined by "+", e.g. "text-7+rate-50+cut-after-5+once+id-abc" (":" reads as "-"):

    what it says    text-SEED[-WORDS] · echo · say-SOME_WORDS
                    paced-RATE-COUNT[-FIRSTMS] · stamped-RATE-COUNT[-FIRSTMS]
    how             rate-PER_SECOND · first-MS · burst-N (tokens a write) · bytes (one byte a write) · crlf
                    gzip (the body is compressed) · comments (one before each token)
    before content  fail-STATUS[-RETRY_AFTER] · fail-context · redirect · html
                    hang-connect · hang-first · ping-first · empty
    midway          hang- ping- cut- reset- end- garbage- errorframe-after-N
                    huge- (a line that does not end) · bare- (an error that is no event) -after-N
    held            gate-ask (unanswered) · gate-first (no content) · gate-after-N · gate-end (no end marker):
                    stands still there until the test opens the gate of its id, see tests/provider_gates.py
    the end         nousage · badusage (halves of tokens) · nodone · noreason · length · filter
                    lateend (its body ends 0.2 s later)
    the rest        once (misbehaves only the first time that this very name is asked)
                    repeat (a continuation repeats the tail) · stale (hangs up when a connection is used again)
                    id-ANYTHING

The model "directed" behaves as the newest user's message says: "… script:NAME …".
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MIDWAY = ("hang", "ping", "cut", "reset", "end", "garbage", "errorframe", "huge", "bare")
_WORDS = (
    "lantern", "rain", "*smiles*", '"stay"', "softly", "clock", "달빛이", "*웃는다*", '"조금만', '더"', "창가에", "🌙",
    "and", "the", "old", "river", "listens",
)


@dataclass
class Behaviour:
    name: str
    tokens: list[str] = field(default_factory=list)
    is_stamped: bool = False
    is_echo: bool = False
    rate: float = 0.0
    first_seconds: float = 0.0
    fail_status: int = 0
    retry_after: str = ""
    #: Midway trouble by name, and after how many tokens.
    trouble: str = ""
    trouble_at: int = -1
    burst: int = 1
    #: Where it is held: "ask", "first", "after" (`gate_at` tokens of the whole answer) or "end".
    gate: str = ""
    gate_at: int = -1
    id: str = ""
    flags: set[str] = field(default_factory=set)

    def behave(self) -> None:
        """From now on, as a good model would."""
        self.fail_status, self.trouble, self.trouble_at = 0, "", -1
        self.flags -= BEFORE_CONTENT


DIRECTED = "directed"
_SCRIPT = re.compile(r"script:(\S+)")
BEFORE_CONTENT = {"fail-context", "redirect", "hang-connect", "hang-first", "ping-first", "html", "empty"}
_FLAGS = BEFORE_CONTENT | {
    "bytes", "crlf", "gzip", "comments", "nousage", "badusage", "nodone", "noreason", "length", "filter", "lateend",
    "once", "repeat", "stale",
}


def parse(name: str) -> Behaviour:
    """Raises ValueError for a token it does not know."""
    behaviour = Behaviour(name)
    for token in name.replace(":", "-").split("+"):
        _apply(behaviour, token)
    if not behaviour.tokens and not behaviour.is_echo:
        behaviour.tokens = words(1, 40)
    return behaviour


def directed(messages: list[dict[str, Any]]) -> str:
    """The script of the newest user's message that has one; "" when none has."""
    for message in reversed(messages):
        found = _SCRIPT.search(str(message["content"])) if message["role"] == "user" else None
        if found:
            return found[1]
    return ""


def words(seed: int, count: int) -> list[str]:
    chosen = random.Random(seed)
    return [f"{chosen.choice(_WORDS)}{index} " for index in range(count)]


def stamped() -> str:
    """A token that says when it was sent: CLOCK_MONOTONIC, nanoseconds."""
    return f"⟨{time.monotonic_ns()}⟩w "


def _apply(behaviour: Behaviour, token: str) -> None:
    kind, *rest = token.split("-")
    if token in _FLAGS:
        behaviour.flags.add(token)
    elif kind == "id":
        behaviour.id = token[3:]
    elif kind == "gate" and rest[:1] in (["ask"], ["first"], ["end"], ["after"]):
        behaviour.gate, behaviour.gate_at = rest[0], int(rest[1]) if rest[1:] else -1
    elif kind == "say":
        behaviour.tokens = re.findall(r"\S+\s?", token[4:].replace("_", " "))
    elif kind == "echo":
        behaviour.is_echo = True
    elif kind in MIDWAY and rest[:1] == ["after"]:
        behaviour.trouble, behaviour.trouble_at = kind, int(rest[1])
    else:
        _apply_numbers(behaviour, kind, list(_numbers(token, rest)))


def _apply_numbers(behaviour: Behaviour, kind: str, numbers: list[int]) -> None:
    match kind, numbers:
        case "text", [seed, *count]:
            behaviour.tokens = words(seed, *(count or [40]))
        case "paced" | "stamped", [rate, count, *first]:
            behaviour.rate, behaviour.tokens = rate, [f"w{index} " for index in range(count)]
            behaviour.first_seconds = first[0] / 1000 if first else 0.0
            behaviour.is_stamped = kind == "stamped"
        case "rate", [rate]:
            behaviour.rate = rate
        case "first", [ms]:
            behaviour.first_seconds = ms / 1000
        case "burst", [size]:
            behaviour.burst = size
        case "fail", [status, *after]:
            behaviour.fail_status, behaviour.retry_after = status, str(after[0]) if after else ""
        case _:
            raise ValueError(f"A model named {behaviour.name!r} is not known.")


def _numbers(token: str, rest: list[str]) -> Iterator[int]:
    for part in rest:
        if not part.isdigit():
            raise ValueError(f"{token!r} is not understood.")
        yield int(part)
