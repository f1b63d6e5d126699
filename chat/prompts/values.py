"""What goes into a prompt and what comes out, as pure values. Knows nothing of providers, rows or Django."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

Role = Literal["system", "user", "assistant"]


# Of these a long story has hundreds at every turn, and a tuple is made in a fifth of the time.


class PromptMessage(NamedTuple):
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything sent to a model, a pure value.

    `prefill` is text the answer already has: a provider that can continues right after it and yields
    only what is new (`Route.can_prefill`); one that cannot is never given a prefill. `cache_key`
    names the room, for providers that route by it.
    """

    messages: tuple[PromptMessage, ...]
    max_tokens: int
    prefill: str = ""
    cache_key: str = ""
    stop: tuple[str, ...] = ()


class Turn(NamedTuple):
    """One message of the story. `tokens` is our estimate, stored when the text was written."""

    role: Literal["user", "assistant"]
    text: str
    tokens: int
    position: int


@dataclass(frozen=True, slots=True)
class Head:
    """The static start of every prompt of a room: rendered once, kept byte for byte."""

    text: str
    tokens: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """One entry of a card's lorebook. Higher `priority` is kept longer; higher `order` stands nearer the end."""

    content: str
    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    is_constant: bool = False
    order: int = 0
    priority: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lorebook:
    """Enabled entries. `scan_messages` newest messages are searched; `max_tokens` bounds what is inserted."""

    entries: tuple[LoreEntry, ...] = ()
    scan_messages: int = 4
    max_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Tail:
    """What may differ from turn to turn; it stands after the newest user text, macros already resolved."""

    book: Lorebook = Lorebook()
    user_note: str = ""
    post_history: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a prompt may be. `limit` is in our estimated tokens, the others in the model's own.

    `token_factor` is the model's tokens divided by our estimate (`chat.tokens.token_factor`).
    """

    context_tokens: int
    output_tokens: int
    token_factor: float = 1.0

    @property
    def limit(self) -> int:
        """The margin of 1/32 is for what the estimate misses and for the model's own start markers."""
        usable = self.context_tokens - self.output_tokens - self.context_tokens // 32
        return max(0, int(usable / self.token_factor))


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a prompt's tokens are, by our estimate."""

    head: int
    history: int
    tail: int
    prefill: int

    @property
    def total(self) -> int:
        return self.head + self.history + self.tail + self.prefill


@dataclass(frozen=True, slots=True)
class BuiltPrompt:
    """A prompt and what was decided on the way.

    `window_start` is the position of the oldest turn still sent, to be stored on the room; `was_cut`
    says that it has just moved. `prefix_hash` names the bytes before the first turn. `lore` names what was triggered.
    """

    prompt: Prompt
    parts: Parts
    window_start: int
    was_cut: bool
    #: What stands before the first turn, besides the head.
    opening: str = ""
    lore: tuple[str, ...] = ()

    @property
    def prefix_hash(self) -> str:
        """Equal hashes may share a provider's cache."""
        return sha256(f"{self.prompt.messages[0].content}\0{self.opening}".encode()).hexdigest()[:16]
