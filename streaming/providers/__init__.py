"""Ways to models. `Providers` is one process's: its HTTP client, and a provider for every route in use.

Keys are read from the environment when a route is first used, and stay in memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import msgspec

from streaming.providers.admission import Admission
from streaming.providers.base import Provider, ProviderError, Route
from streaming.providers.hedging import Budget, Hedging
from streaming.providers.http import HttpClient
from streaming.providers.http_provider import HttpProvider
from streaming.providers.pace import TICK_SECONDS

#: kind of route → what makes its provider of (route), or of (route, key) the dialect that HttpProvider speaks.
PROVIDERS: dict[str, str] = {
    "openai": "streaming.providers.openai_compatible.OpenAIDialect",
    "anthropic": "streaming.providers.anthropic.AnthropicDialect",
    "gemini": "streaming.providers.gemini.GeminiDialect",
    "scripted": "streaming.providers.scripted.ScriptedProvider",
}
_WITHOUT_HTTP = {"scripted"}


class Providers:
    """Used on one event loop; `aclose` ends the connections, and running answers with them."""

    def __init__(
        self,
        *,
        tick_seconds: float = TICK_SECONDS,
        allow_requests: bool = True,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        hedging: Hedging | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.admission = admission or Admission()
        self.hedging = hedging or Hedging(Budget(0.0))
        self.client = HttpClient(tick_seconds=tick_seconds, clock=clock)
        self._allow_requests = allow_requests
        self._environ = environ
        self._made: dict[str, tuple[Route, Provider]] = {}

    def start(self) -> None:
        """Load the TLS context now, not with the first message. Optional."""
        self.client.start()

    async def aclose(self) -> None:
        self._made.clear()
        await self.client.aclose()

    def provider_for(self, route: Route) -> Provider:
        """The same provider for an unchanged route. Raises `provider_not_configured`."""
        known = self._made.get(route.name)
        if known is None or known[0] != route:
            known = self._made[route.name] = (route, self._make(route))
        return known[1]

    async def warm(self, route: Route) -> None:
        """Have a connection ready, unless there is one. Best effort; never raises."""
        try:
            provider = self.provider_for(route)
        except ProviderError:
            return  # whoever asks for an answer will be told
        await provider.warm()

    # Internal

    def _make(self, route: Route) -> Provider:
        if route.kind not in PROVIDERS:
            raise _not_configured(f"There is no kind of provider named {route.kind!r}.")
        try:
            return self._made_by(_factory(route.kind), route)
        except msgspec.ValidationError as error:
            raise _not_configured(f"options: {error}") from error

    def _made_by(self, factory: Any, route: Route) -> Provider:
        if route.kind in _WITHOUT_HTTP:
            provider: Provider = factory(route)
            return provider
        if not self._allow_requests:
            raise _not_configured("Requests to providers are switched off.")
        return HttpProvider(factory(route, self._key(route)), self.client)

    def _key(self, route: Route) -> str:
        if not route.api_key_env:
            return ""
        key = self._environ.get(route.api_key_env, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise _not_configured(f"The environment variable {route.api_key_env} holds no usable key.")
        return key


def options_fault(kind: str, options: dict[str, object]) -> str:
    """Why no provider of this kind can be made with these options; "" when one can."""
    route = Route("", kind, "", "", options=options)  # type: ignore[arg-type]
    try:
        if kind in PROVIDERS:
            _factory(kind)(*[route] if kind in _WITHOUT_HTTP else [route, ""])
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _factory(kind: str) -> Any:
    module, name = PROVIDERS[kind].rsplit(".", 1)
    return getattr(import_module(module), name)


def _not_configured(message: str) -> ProviderError:
    return ProviderError("provider_not_configured", message, retryable=False)
