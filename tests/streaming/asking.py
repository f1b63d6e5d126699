"""Asking a provider, for tests: a route to the scripted model server, a prompt, and what came of it."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from streaming.providers import Providers
from streaming.providers.base import (
    Finished,
    Limits,
    Prompt,
    PromptMessage,
    ProviderError,
    Route,
    Text,
)
from tests.provider_server import RunningServer

_numbers = itertools.count(1)
QUESTION = Prompt((PromptMessage("system", "You are Mina."), PromptMessage("user", "Who are you?")), max_tokens=64)


def model_named(behaviour: str) -> str:
    """A name that no other test uses: the server tells its streams apart by it."""
    return f"{behaviour}+id-{os.getpid()}x{next(_numbers)}"


def route_to(
    server: RunningServer, model: str, *, kind: str = "openai", limits: Limits | None = None, can_prefill: bool = False,
    **options: object,
) -> Route:
    return Route(
        name=model, kind=kind,  # type: ignore[arg-type]
        base_url=server.openai_url if kind == "openai" else server.base_url,
        model=model, limits=limits or Limits(), can_prefill=can_prefill, options=options,
    )


@dataclass
class Asked:
    """Everything that one request gave."""

    texts: list[str] = field(default_factory=list)
    finished: Finished | None = None
    error: ProviderError | None = None
    marks: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def code(self) -> str:
        return self.error.code if self.error else ""


def touches(providers: Providers, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the requests that only make a connection, from now on."""
    client, addresses = providers.client.start(), list[str]()
    head = client.head

    async def counted(url: str, **options: Any) -> Any:
        addresses.append(url)
        return await head(url, **options)

    monkeypatch.setattr(client, "head", counted)
    return addresses


async def ask(providers: Providers, route: Route, prompt: Prompt = QUESTION, *, stream: bool = True) -> Asked:
    """Reads to the end, or to the error."""
    asked = Asked()
    try:
        async for piece in providers.provider_for(route).generate(prompt, stream=stream, mark=asked.marks.append):
            assert asked.finished is None, "nothing may follow the end"
            if isinstance(piece, Text):
                assert piece.text, "a Text is never empty"
                asked.texts.append(piece.text)
            else:
                asked.finished = piece
    except ProviderError as error:
        asked.error = error
    return asked
