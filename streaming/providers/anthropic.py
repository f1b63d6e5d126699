"""The Anthropic messages dialect. Docs: /v1/messages, streaming events.

A route's options go into the request's body, save one of our own: `cache_control` (true: mark what the
provider's prompt cache may keep).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streaming.providers import refusals
from streaming.providers.anthropic_prompt import messages_of, system_of
from streaming.providers.base import Finished, Prompt, ProviderError, Route
from streaming.providers.content import Content, decode, fitting
from streaming.providers.prefill import SpaceSeam, only_new

API_VERSION = "2023-06-01"
_REASONS: dict[str, Literal["stop", "length", "content_filter"]] = {
    "max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "content_filter",
}


class AnthropicDialect:
    def __init__(self, route: Route, key: str) -> None:
        self.url = self.completed_url = route.base_url.rstrip("/").removesuffix("/v1") + "/v1/messages"
        self.headers = {
            "content-type": "application/json", "accept-encoding": "identity", "anthropic-version": API_VERSION,
        }
        if key:
            self.headers["x-api-key"] = key
        self._route = route

    def body(self, prompt: Prompt, *, stream: bool) -> dict[str, object]:
        body = dict(self._route.options)
        is_cached = bool(body.pop("cache_control", False))
        body |= {"model": self._route.model, "max_tokens": prompt.max_tokens, "stream": stream}
        body["messages"] = messages_of(prompt, is_cached=is_cached)
        if system := system_of(prompt, is_cached=is_cached):
            body["system"] = system
        if prompt.stop:
            body["stop_sequences"] = list(prompt.stop)
        return body

    def decoder(self, prompt: Prompt) -> MessageDecoder:
        return MessageDecoder(SpaceSeam(prompt.prefill))

    def completed(self, data: bytes, prompt: Prompt) -> tuple[str, Finished]:
        answer = decode(data, _answers)
        if answer.error is not None:
            raise refusals.of_frame(answer.error)
        content = Content()
        text = "".join(block.text for block in answer.content if block.type == "text")
        content.add(only_new(text, prompt.prefill))
        return content.take()[0], _finished(answer.stop_reason, fitting(answer.usage, _Usage) or _Usage())


class MessageDecoder:
    """Only text blocks are content: pings, thinking and tool use are not."""

    def __init__(self, seam: SpaceSeam) -> None:
        self.content = Content()
        self.is_ending = False
        self.is_over = False
        self._seam = seam
        self._reason: str | None = None
        self._usage = _Usage()

    def take(self, payload: bytes) -> None:
        event = decode(payload, _events)
        match event.type:
            case "content_block_delta":
                self._take_text(event.delta)
            case "content_block_start":
                self._take_text(event.content_block)
            case "message_start" if event.message is not None:
                self._count(event.message.usage)
                # What is counted before a word was written is no count.
                self._usage.output_tokens = None
            case "message_delta":
                self._take_end(event)
            case "message_stop":
                self.is_over = self.is_ending = True
            case "error":
                raise refusals.of_frame(event.error)

    def finished(self) -> Finished:
        if not self.is_ending:
            raise ProviderError("provider_incomplete", "The stream ended without its marker.", retryable=True)
        return _finished(self._reason, self._usage)

    # Internal

    def _take_text(self, block: _Block | None) -> None:
        if block is not None and block.text and block.type in ("text_delta", "text"):
            self.content.add(self._seam.cut(block.text))

    def _take_end(self, event: _Event) -> None:
        self._count(event.usage)
        if event.delta is not None and event.delta.stop_reason:
            self._reason, self.is_ending = event.delta.stop_reason, True

    def _count(self, told: object) -> None:
        """Counts come in two parts: the prompt's at the start, the answer's at the end."""
        usage = fitting(told, _Usage)
        for name in _Usage.__struct_fields__ if usage else ():
            if (value := getattr(usage, name)) is not None:
                setattr(self._usage, name, value)


def _finished(reason: str | None, usage: _Usage) -> Finished:
    """`input_tokens` leaves out what came from the cache or went into it; our prompt count is the whole prompt."""
    cached, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    prompt = None if usage.input_tokens is None else usage.input_tokens + (cached or 0) + (written or 0)
    return Finished(_REASONS.get(reason or "", "stop"), prompt, usage.output_tokens, cached)


# What is read of the wire; unknown fields are ignored.


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Block(msgspec.Struct, gc=False):
    """A content block, and the delta of one; `message_delta` has its stop reason here too."""

    type: str = ""
    text: str = ""
    stop_reason: str | None = None


class _Answer(msgspec.Struct):
    content: list[_Block] = []
    stop_reason: str | None = None
    usage: Any = None
    error: Any = None


class _Event(msgspec.Struct):
    type: str
    delta: _Block | None = None
    content_block: _Block | None = None
    message: _Answer | None = None
    usage: Any = None
    error: Any = None


_events = msgspec.json.Decoder(_Event)
_answers = msgspec.json.Decoder(_Answer)
