"""The Gemini dialect. Docs: models.generateContent and models.streamGenerateContent, v1beta.

A route's options go into `generationConfig`, save those that have a place of their own in the body (`_AT_TOP`).
A first word comes soonest without thinking: `{"thinkingConfig": {"thinkingBudget": 0}}`.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

import msgspec

from streaming.providers import refusals
from streaming.providers.alternating import system_of, turns_of
from streaming.providers.base import Finished, Prompt, ProviderError, Route
from streaming.providers.content import Content, decode, fitting
from streaming.providers.prefill import SpaceSeam, only_new

#: More of them are refused.
STOPS_MOST = 5
_AT_TOP = frozenset({"safetySettings", "cachedContent", "tools", "toolConfig", "labels"})
_REASONS: dict[str, Literal["stop", "length", "content_filter"]] = {
    "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter", "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter", "LANGUAGE": "content_filter",
}


class GeminiDialect:
    def __init__(self, route: Route, key: str) -> None:
        model = f"{route.base_url.rstrip('/').removesuffix('/v1beta')}/v1beta/{_resource(route.model)}"
        self.url = f"{model}:streamGenerateContent?alt=sse"
        self.completed_url = f"{model}:generateContent"
        self.headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            self.headers["x-goog-api-key"] = key
        self._options = route.options

    def body(self, prompt: Prompt, *, stream: bool) -> dict[str, object]:
        body = {name: value for name, value in self._options.items() if name in _AT_TOP}
        config = {name: value for name, value in self._options.items() if name not in _AT_TOP}
        config["maxOutputTokens"] = prompt.max_tokens
        if prompt.stop:
            config["stopSequences"] = list(prompt.stop[:STOPS_MOST])
        body |= {"generationConfig": config, "contents": _contents(prompt)}
        if head := system_of(prompt):
            body["systemInstruction"] = {"parts": [{"text": head}]}
        return body

    def decoder(self, prompt: Prompt) -> GeminiDecoder:
        return GeminiDecoder(SpaceSeam(prompt.prefill))

    def completed(self, data: bytes, prompt: Prompt) -> tuple[str, Finished]:
        answer = decode(data, _answers)
        _require_answer(answer)
        if not answer.candidates:
            raise refusals.garbage("A completed answer without candidates.")
        content = Content()
        content.add(only_new(answer.candidates[0].text, prompt.prefill))
        return content.take()[0], _finished(answer.candidates[0].finish_reason, answer.usage_metadata)


class GeminiDecoder:
    """Thoughts are not content. The last event has the reason to end and the usage: there is no other marker."""

    def __init__(self, seam: SpaceSeam) -> None:
        self.content = Content()
        self.is_ending = False
        self._seam = seam
        self._reason = ""
        self._usage: object = None

    @property
    def is_over(self) -> bool:
        """Usage may come after the reason, or not at all: then the body's end is the end."""
        return self.is_ending and self._usage is not None

    def take(self, payload: bytes) -> None:
        event = decode(payload, _answers)
        _require_answer(event)
        self._usage = event.usage_metadata or self._usage
        if event.candidates:
            self._take_candidate(event.candidates[0])

    def finished(self) -> Finished:
        if not self.is_ending:
            raise ProviderError("provider_incomplete", "The stream ended without a reason to end.", retryable=True)
        return _finished(self._reason, self._usage)

    def _take_candidate(self, candidate: _Candidate) -> None:
        if candidate.text:
            self.content.add(self._seam.cut(candidate.text))
        if candidate.finish_reason:
            self._reason, self.is_ending = candidate.finish_reason, True


def _resource(model: str) -> str:
    """"models/NAME", unless the operator named another kind of resource."""
    kind, _, name = model.partition("/")
    if name and kind in ("models", "tunedModels"):
        return f"{kind}/{quote(name, safe='')}"
    return f"models/{quote(model, safe='')}"


def _contents(prompt: Prompt) -> list[dict[str, object]]:
    return [
        {"role": "model" if role == "assistant" else "user", "parts": [{"text": text} for text in texts]}
        for role, texts in turns_of(prompt)
    ]


def _require_answer(answer: _Answer) -> None:
    if answer.error is not None:
        raise refusals.of_frame(answer.error)
    feedback = answer.prompt_feedback
    if feedback is not None and feedback.block_reason:
        detail = f"The prompt was blocked: {feedback.block_reason}."
        raise ProviderError("content_filtered", detail, retryable=False)


def _finished(reason: str | None, told: object) -> Finished:
    """Thinking is paid for as the answer is."""
    usage = fitting(told, _Usage) or _Usage()
    written = usage.candidates_token_count
    if written is not None:
        written += usage.thoughts_token_count or 0
    return Finished(
        _REASONS.get(reason or "", "stop"), usage.prompt_token_count, written, usage.cached_content_token_count
    )


# What is read of the wire; unknown fields are ignored.


class _Part(msgspec.Struct, gc=False):
    text: str | None = None
    thought: bool | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        parts = (self.content.parts if self.content else None) or []
        return "".join(part.text or "" for part in parts if not part.thought)


class _Usage(msgspec.Struct, rename="camel", gc=False):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class _Feedback(msgspec.Struct, rename="camel", gc=False):
    block_reason: str | None = None


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: Any = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_answers = msgspec.json.Decoder(_Answer)
