"""The OpenAI chat-completions dialect, as most servers speak it. Docs: PROTOCOL of /chat/completions.

A route's options go into the request's body, save these of our own:
`send_cache_key` (true: send the room as `prompt_cache_key`), `include_usage` (false: for servers that refuse
`stream_options`), `max_tokens_field` (newer OpenAI models: "max_completion_tokens"), `prefill_fields` (what to add
when the last message is the beginning of the answer, e.g. vLLM's `continue_final_message`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streaming.providers import refusals
from streaming.providers.base import Finished, Prompt, ProviderError, Route
from streaming.providers.content import Content, decode, fitting
from streaming.providers.prefill import SpaceSeam, only_new, sent

_REASONS: dict[str, Literal["stop", "length", "content_filter"]] = {
    "length": "length", "max_tokens": "length", "content_filter": "content_filter",
}


class Switches(msgspec.Struct, frozen=True):
    send_cache_key: bool = False
    include_usage: bool = True
    max_tokens_field: str = "max_tokens"
    prefill_fields: dict[str, object] = {}


class OpenAIDialect:
    """Raises msgspec.ValidationError for an option of ours with a wrong value."""

    def __init__(self, route: Route, key: str) -> None:
        self.url = self.completed_url = route.base_url.rstrip("/") + "/chat/completions"
        self.headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            self.headers["authorization"] = f"Bearer {key}"
        self._model = route.model
        self._switches = msgspec.convert(route.options, Switches)
        own = Switches.__struct_fields__
        self._options = {name: value for name, value in route.options.items() if name not in own}

    def body(self, prompt: Prompt, *, stream: bool) -> dict[str, object]:
        switches = self._switches
        body = self._options | {"model": self._model, "messages": _messages(prompt), "stream": stream}
        body[switches.max_tokens_field] = prompt.max_tokens
        if prompt.stop:
            body["stop"] = list(prompt.stop)
        if stream and switches.include_usage:
            body["stream_options"] = {"include_usage": True}
        if prompt.cache_key and switches.send_cache_key:
            body["prompt_cache_key"] = prompt.cache_key
        if sent(prompt.prefill):
            body |= switches.prefill_fields
        return body

    def decoder(self, prompt: Prompt) -> ChatDecoder:
        return ChatDecoder(SpaceSeam(prompt.prefill))

    def completed(self, data: bytes, prompt: Prompt) -> tuple[str, Finished]:
        answer = decode(data, _chunks)
        if answer.error is not None:
            raise refusals.of_frame(answer.error)
        if not answer.choices:
            raise refusals.garbage("A completed answer without choices.")
        choice, content = answer.choices[0], Content()
        text = (choice.message.content if choice.message else None) or ""
        content.add(only_new(text, prompt.prefill))
        return content.take()[0], _finished(choice.finish_reason, answer.usage)


class ChatDecoder:
    """Only `delta.content` is content: roles, empty deltas, reasoning and tool calls are not."""

    def __init__(self, seam: SpaceSeam) -> None:
        self.content = Content()
        self.is_ending = False
        self.is_over = False
        self._seam = seam
        self._reason = ""
        self._usage: object = None

    def take(self, payload: bytes) -> None:
        if payload == b"[DONE]":
            self.is_over = self.is_ending = True
            return
        chunk = decode(payload, _chunks)
        if chunk.choices:
            self._take_choice(chunk.choices[0])
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.error is not None:
            raise refusals.of_frame(chunk.error)

    def finished(self) -> Finished:
        if not self.is_ending:
            raise ProviderError("provider_incomplete", "The stream ended without its marker.", retryable=True)
        return _finished(self._reason, self._usage)

    def _take_choice(self, choice: _Choice) -> None:
        if choice.delta is not None and choice.delta.content:
            self.content.add(self._seam.cut(choice.delta.content))
        if choice.finish_reason:
            self._reason, self.is_ending = choice.finish_reason, True


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    if prefill := sent(prompt.prefill):
        messages.append({"role": "assistant", "content": prefill})
    return messages


def _finished(reason: str | None, told: object) -> Finished:
    usage = fitting(told, _Usage) or _Usage()
    details = usage.prompt_tokens_details
    return Finished(
        _REASONS.get(reason or "", "stop"), usage.prompt_tokens, usage.completion_tokens,
        details.cached_tokens if details else None,
    )


# What is read of the wire; unknown fields are ignored.


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Chunk(msgspec.Struct):
    """A chunk of a stream, and a completed answer: they differ in `delta` and `message`."""

    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_chunks = msgspec.json.Decoder(_Chunk)
