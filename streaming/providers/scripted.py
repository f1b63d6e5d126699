"""A provider without a model: what it says, how fast and where it fails is written in the route's options.

For development and tests; the same options and the same question give the same text, always.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Literal

import msgspec

from chat.prompts.templates import TEMPLATES
from streaming.providers.base import (
    Finished,
    Mark,
    Piece,
    Prompt,
    PromptMessage,
    ProviderError,
    Route,
    Text,
    unmarked,
)

_WORDS = (
    "the", "lantern", "hums", "softly", "and", "*she smiles*", "while", "rain", "taps", "on", "glass,",
    '"stay a little longer,"', "as", "old", "clocks", "listen.", "달빛이", "창가에", "내려앉고", "*그가 웃는다*",
    '"조금만 더 있어 줘."', "바람이", "속삭인다", "🌙",
)
#: What the prompt builder says to ask for the rest of an answer.
_GO_ON = {words.continuation for languages in TEMPLATES.values() for words in languages.values()}


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`text` empty: made up from `seed`. Chunks count from 0; -1 is never. Rate 0: as fast as can be."""

    text: str = ""
    seed: int = 0
    words: int = 40
    chunk_chars: int = 4
    chunks_per_second: float = 0.0
    first_delay_seconds: float = 0.0
    fail_at_chunk: int = -1
    fail_code: str = "provider_unavailable"
    fail_retryable: bool = True
    hang_at_chunk: int = -1
    finish_reason: Literal["stop", "length", "content_filter"] = "stop"


class ScriptedProvider:
    """Raises msgspec.ValidationError for options it does not know."""

    def __init__(self, route: Route) -> None:
        self._script = msgspec.convert(route.options, Script)

    async def generate(self, prompt: Prompt, *, stream: bool, mark: Mark = unmarked) -> AsyncGenerator[Piece]:
        mark("provider_asked")
        text = remaining(self._script, prompt)
        chunks = _chunks(text, self._script.chunk_chars if stream else len(text) or 1)
        await asyncio.sleep(self._script.first_delay_seconds)
        mark("first_byte")
        for index, chunk in enumerate(chunks):
            await self._obstacle(index)
            yield Text(chunk)
        await self._obstacle(len(chunks))
        yield Finished(self._script.finish_reason, _words_of(prompt), len(chunks), 0)

    async def warm(self) -> None:
        """Always warm."""

    async def _obstacle(self, index: int) -> None:
        if index == self._script.fail_at_chunk:
            raise ProviderError(self._script.fail_code, "As scripted.", retryable=self._script.fail_retryable)
        if index == self._script.hang_at_chunk:
            await asyncio.Event().wait()
        if index and self._script.chunks_per_second:
            await asyncio.sleep(1 / self._script.chunks_per_second)


def remaining(script: Script, prompt: Prompt) -> str:
    """What is left to say after the prefill, or after the answer that the last message asks to continue."""
    messages, begun = prompt.messages, prompt.prefill
    if len(messages) > 2 and messages[-1].content in _GO_ON:
        messages, begun = messages[:-2], messages[-2].content
    text = script.text or _made_up(script, messages)
    return text.removeprefix(begun) if begun else text


def _made_up(script: Script, messages: tuple[PromptMessage, ...]) -> str:
    question = next((message.content for message in reversed(messages) if message.role == "user"), "")
    chosen = random.Random(f"{script.seed}:{question}")
    return " ".join(chosen.choice(_WORDS) for _ in range(script.words))


def _chunks(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _words_of(prompt: Prompt) -> int:
    return sum(len(message.content.split()) for message in prompt.messages)
