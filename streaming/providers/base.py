"""The provider contract: one async generator. Limits, timers, instrumentation and fallback wrap it.

A provider turns a `Prompt` into `Text` pieces and exactly one `Finished`. A stream that ends without
`Finished` is an error, not an end. Closing the generator (`aclose`) frees the provider's slot.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from chat.prompts import Prompt, PromptMessage, Role

__all__ = [
    "Finished", "Limits", "Mark", "Piece", "Prices", "Prompt", "PromptMessage", "Provider", "ProviderError", "Role",
    "Route", "Text", "unmarked",
]

#: Told a stage's name when it is reached; a provider reports `provider_asked` and `first_byte`.
Mark = Callable[[str], None]


def unmarked(stage: str) -> None:
    """A Mark for those who do not measure."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """Content, never empty: all that the model had sent when we looked."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The model's own end. Token counts are None where the provider did not say."""

    reason: Literal["stop", "length", "content_filter"]
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


Piece = Text | Finished


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. They count content: pings, role chunks and empty deltas reset nothing."""

    first_content_seconds: float = 10.0
    gap_seconds: float = 10.0
    total_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens; 0: free, or not known."""

    prompt: float = 0.0
    cached: float = 0.0
    completion: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a model, as the operator configured it; a value, without identity in the database.

    `api_key_env` names the environment variable that holds the key: the key itself is never stored.
    """

    name: str
    kind: Literal["openai", "anthropic", "gemini", "scripted"]
    base_url: str
    model: str
    api_key_env: str = ""
    can_prefill: bool = False
    #: Read the prompt as soon as a room is opened: for models whose reading is slow and costs nothing.
    warms_prompt: bool = False
    max_context_tokens: int = 8192
    max_output_tokens: int = 1024
    limits: Limits = field(default_factory=Limits)
    #: Extra fields for the request body, e.g. sampler settings of a local server.
    options: dict[str, object] = field(default_factory=dict)
    #: Requests at a time from this process; 0: no limit. More begin with another route, or wait.
    max_concurrent: int = 0
    #: Ask the next route too when first content is later than usual here.
    hedges: bool = False
    prices: Prices = field(default_factory=Prices)


class Provider(Protocol):
    """Stateless as to requests; safe for concurrent use on one event loop."""

    def generate(self, prompt: Prompt, *, stream: bool, mark: Mark = unmarked) -> AsyncGenerator[Piece]:
        """Yield Text…, Finished. `stream=False` asks for the completed response: one Text, then Finished.

        Raises ProviderError, at any point.
        """
        ...

    async def warm(self) -> None:
        """Make a connection ready, best effort; never raises."""
        ...


class ProviderError(Exception):
    """`code` is one of chat.errors.CODES; `retryable` is the one bit that callers branch on."""

    def __init__(
        self, code: str, message: str, *, retryable: bool, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
