"""A chain over models that play scripts: what each call gives, and what the chain told its reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from streaming.providers.base import (
    Finished,
    Limits,
    Mark,
    Piece,
    Prompt,
    PromptMessage,
    ProviderError,
    Route,
    Text,
    unmarked,
)
from streaming.providers.chain import Chain, Recovering, RouteChosen
from tests.streaming.asking import QUESTION

GO_ON = PromptMessage("user", "Go on.")


def route(name: str, *, can_prefill: bool = True) -> Route:
    return Route(name, "scripted", "", f"model-{name}", can_prefill=can_prefill, limits=Limits(10.0, 10.0, 60.0))


def prompt_for(route: Route, text: str) -> Prompt:
    """As the prompt builder does it."""
    if route.can_prefill or not text:
        return Prompt(QUESTION.messages, 9, prefill=text)
    return Prompt((*QUESTION.messages, PromptMessage("assistant", text), GO_ON), 9)


def failure(code: str = "provider_unavailable", *, retryable: bool = True, after: float | None = None) -> ProviderError:
    return ProviderError(code, code, retryable=retryable, retry_after_seconds=after)


Step = str | Exception | Finished | float


@dataclass
class Model:
    """Each call plays the next of its scripts: texts, seconds to wait, an error, an end. Notes how it was asked."""

    scripts: list[list[Step]]
    asked: list[tuple[bool, Prompt]] = field(default_factory=list)
    closed: int = 0

    async def generate(self, prompt: Prompt, *, stream: bool, mark: Mark = unmarked) -> AsyncGenerator[Piece]:
        self.asked.append((stream, prompt))
        mark("provider_asked")
        try:
            for step in self.scripts[len(self.asked) - 1]:
                match step:
                    case str():
                        yield Text(step)
                    case float():
                        await asyncio.sleep(step)
                    case Finished():
                        yield step
                    case error:
                        raise error
        finally:
            self.closed += 1

    async def warm(self) -> None: ...


@dataclass
class Told:
    """Everything that a chain gave."""

    texts: list[str] = field(default_factory=list)
    notes: list[RouteChosen | Recovering] = field(default_factory=list)
    finished: Finished | None = None
    error: ProviderError | None = None
    pauses: list[float] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)


async def listen(
    models: list[tuple[Route, Model]], *, initial_text: str = "", stream: bool = True
) -> Told:
    told, by_name = Told(), {route.name: model for route, model in models}

    async def pause(seconds: float) -> None:
        told.pauses.append(seconds)

    chain = Chain(
        [route for route, _ in models], lambda route: by_name[route.name], prompt_for, stream=stream,
        mark=told.marks.append, clock=asyncio.get_running_loop().time, pause=pause,
    )
    try:
        async for piece in chain.generate(initial_text=initial_text):
            match piece:
                case Text(text):
                    told.texts.append(text)
                case Finished():
                    told.finished = piece
                case RouteChosen() | Recovering():
                    told.notes.append(piece)
    except ProviderError as error:
        told.error = error
    assert all(model.closed == len(model.asked) for _, model in models), "a stream was left open"
    return told


A, B = route("A"), route("B")
END = Finished("stop", 1, 2, 3)
