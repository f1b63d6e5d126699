"""One request to a provider, as it is accounted: why it was made, how long it took, how it ended, what it cost.

Must not know the run, the database or how the others were made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from streaming.providers.base import Finished, Prices, Prompt, Route

#: first: of its answer. again, next, completed: after a failure, on the same route, another one, without streaming.
#: go_on: continues text that is there. hedge: raced against one whose first content was late.
Why = Literal["first", "again", "next", "completed", "go_on", "hedge"]
#: Some bytes of UTF-8 are a token where the provider does not say how many there were.
BYTES_A_TOKEN = 4
FREE = Prices()
#: Outcomes of requests that no model has read.
UNREAD = frozenset((
    "provider_refused", "provider_not_configured", "provider_rate_limited", "provider_unavailable", "context_too_long",
))
_MILLION = 1_000_000


@dataclass(slots=True)
class Call:
    """Seconds by the chain's clock. `outcome`: a finish reason, an error's code, `cancelled` or `lost` (the race)."""

    route: str
    model: str = ""
    why: Why = "first"
    is_streamed: bool = True
    asked_at: float = 0.0
    first_seconds: float | None = None
    seconds: float = 0.0
    outcome: str = ""
    retry_after_seconds: float | None = None
    finished: Finished | None = None
    prompt_bytes: int = 0
    text_bytes: int = 0
    prices: Prices = FREE

    @classmethod
    def of(cls, route: Route, prompt: Prompt, why: Why, *, is_streamed: bool) -> Call:
        size = sum([size_of(message.content) for message in prompt.messages])
        return cls(route.name, route.model, why, is_streamed, prompt_bytes=size, prices=route.prices)

    @property
    def is_counted(self) -> bool:
        """The provider itself said how many tokens."""
        return self.finished is not None and self.finished.completion_tokens is not None

    @property
    def tokens(self) -> tuple[int, int, int]:
        """(prompt, of which cached, completion); estimated where the provider did not say, but for what was unread."""
        if self.finished is None and not self.text_bytes and self.outcome in UNREAD:
            return 0, 0, 0
        said = self.finished or Finished("stop")
        prompt = _or(said.prompt_tokens, self.prompt_bytes)
        return prompt, min(prompt, max(0, said.cached_tokens or 0)), _or(said.completion_tokens, self.text_bytes)

    @property
    def cost(self) -> float:
        """US dollars."""
        return self._cost_of(*self.tokens)

    def _cost_of(self, prompt: int, cached: int, completion: int) -> float:
        prices = self.prices
        # Where no price of cached tokens is known they are taken for any others.
        cached_price = prices.cached or prices.prompt
        return ((prompt - cached) * prices.prompt + cached * cached_price + completion * prices.completion) / _MILLION

    def row(self) -> dict[str, Any]:
        """For Trace.calls: times in milliseconds, money in US dollars."""
        prompt, cached, completion = self.tokens
        cost = self._cost_of(prompt, cached, completion)
        return {
            "route": self.route, "model": self.model, "why": self.why, "outcome": self.outcome,
            "firstMs": None if self.first_seconds is None else round(self.first_seconds * 1000, 1),
            "ms": round(self.seconds * 1000, 1), "promptTokens": prompt, "cachedTokens": cached,
            "completionTokens": completion, "isCounted": self.is_counted, "cost": round(cost, 8),
        }


def size_of(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


Heard = Callable[[Call], None]


def unheard(call: Call) -> None:
    """A Heard for those who do not account."""


def _or(said: int | None, size: int) -> int:
    return said if said is not None and said >= 0 else -(-size // BYTES_A_TOKEN)
