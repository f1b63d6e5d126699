"""How a scripted model's answer looks on the wire: as an OpenAI-compatible server, Anthropic's and Gemini's send it."""

from __future__ import annotations

import json
from typing import Any, Protocol
from urllib.parse import unquote

GEMINI_PREFIX = "/v1beta/models/"


class Face(Protocol):
    def opening(self) -> list[str]: ...

    def token(self, text: str) -> str: ...

    def ping(self) -> str: ...

    def error(self) -> str: ...

    def ending(self, reason: str, usage: dict[str, int], flags: set[str]) -> list[str]: ...

    def completed(self, text: str, reason: str, usage: dict[str, int]) -> dict[str, Any]: ...


def usage_of(messages: list[dict[str, Any]], sent: int) -> dict[str, int]:
    prompt = sum(len(str(message.get("content", "")).split()) for message in messages)
    return {"prompt": prompt, "completion": sent, "cached": prompt // 2}


class OpenAIFace:
    def __init__(self, model: str) -> None:
        self._base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def opening(self) -> list[str]:
        return [self._chunk({"role": "assistant", "content": None}), self._chunk({"content": ""})]

    def token(self, text: str) -> str:
        return self._chunk({"content": text})

    def ping(self) -> str:
        return ": ping\n\n" + self._chunk({"reasoning_content": "hmm"})

    def error(self) -> str:
        return _data({"error": {"message": "the engine is overloaded", "type": "server_error", "code": 503}})

    def ending(self, reason: str, usage: dict[str, int], flags: set[str]) -> list[str]:
        frames = [] if "noreason" in flags else [self._chunk({}, reason)]
        if "nousage" not in flags:
            frames.append(_data({**self._base, "choices": [], "usage": self._usage(usage)}))
        return frames if "nodone" in flags else [*frames, "data: [DONE]\n\n"]

    def completed(self, text: str, reason: str, usage: dict[str, int]) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {**self._base, "object": "chat.completion", "choices": [choice], "usage": self._usage(usage)}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        return _data({**self._base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def _usage(self, usage: dict[str, int]) -> dict[str, Any]:
        return {
            "prompt_tokens": usage["prompt"], "completion_tokens": usage["completion"],
            "total_tokens": usage["prompt"] + usage["completion"],
            "prompt_tokens_details": {"cached_tokens": usage["cached"]},
        }


class AnthropicFace:
    _REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}

    def __init__(self, model: str) -> None:
        self._model = model

    def opening(self) -> list[str]:
        usage = {"input_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": self._model, "content": []}
        block = {"type": "text", "text": ""}
        return [
            _event("message_start", message={**message, "stop_reason": None, "usage": usage}),
            _event("content_block_start", index=0, content_block=block),
            _event("ping"),
        ]

    def token(self, text: str) -> str:
        return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def ping(self) -> str:
        thinking = {"type": "thinking_delta", "thinking": "hmm"}
        return _event("ping") + _event("content_block_delta", index=0, delta=thinking)

    def error(self) -> str:
        return _event("error", error={"type": "overloaded_error", "message": "Overloaded"})

    def ending(self, reason: str, usage: dict[str, int], flags: set[str]) -> list[str]:
        delta = {"stop_reason": None if "noreason" in flags else self._REASONS[reason], "stop_sequence": None}
        counted = {} if "nousage" in flags else {"usage": {"output_tokens": usage["completion"]}}
        frames = [_event("content_block_stop", index=0), _event("message_delta", delta=delta, **counted)]
        return frames if "nodone" in flags else [*frames, _event("message_stop")]

    def completed(self, text: str, reason: str, usage: dict[str, int]) -> dict[str, Any]:
        counted = {"input_tokens": usage["prompt"], "output_tokens": usage["completion"]}
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": self._model,
            "content": [{"type": "text", "text": text}], "stop_reason": self._REASONS[reason],
            "usage": {**counted, "cache_read_input_tokens": usage["cached"]},
        }


class GeminiFace:
    _REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}

    def __init__(self, model: str) -> None:
        self._model = model

    def opening(self) -> list[str]:
        return [self._chunk([{"text": ""}])]

    def token(self, text: str) -> str:
        return self._chunk([{"text": text}])

    def ping(self) -> str:
        return ": ping\n\n" + self._chunk([{"text": "hmm", "thought": True}])

    def error(self) -> str:
        return _data({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})

    def ending(self, reason: str, usage: dict[str, int], flags: set[str]) -> list[str]:
        if "noreason" in flags:
            return []
        counted = {} if "nousage" in flags else {"usageMetadata": self._usage(usage)}
        return [self._chunk([{"text": ""}], self._REASONS[reason], **counted)]

    def completed(self, text: str, reason: str, usage: dict[str, int]) -> dict[str, Any]:
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": self._REASONS[reason]}
        return {"candidates": [candidate], "usageMetadata": self._usage(usage), "modelVersion": self._model}

    def _chunk(self, parts: list[dict[str, Any]], reason: str = "", **fields: Any) -> str:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        return _data({"candidates": [candidate], "modelVersion": self._model, **fields})

    def _usage(self, usage: dict[str, int]) -> dict[str, int]:
        return {
            "promptTokenCount": usage["prompt"], "candidatesTokenCount": usage["completion"],
            "cachedContentTokenCount": usage["cached"],
        }


def as_openai(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body for Gemini as the scripted models read any: its model and manner are in the address."""
    model, _, verb = path.removeprefix(GEMINI_PREFIX).rpartition(":")
    system = [{"role": "system", "content": _text(body["systemInstruction"])}] if "systemInstruction" in body else []
    roles = {"model": "assistant", "user": "user"}
    turns = [{"role": roles[turn["role"]], "content": _text(turn)} for turn in body["contents"]]
    return {**body, "model": unquote(model), "stream": verb.startswith("stream"), "messages": system + turns}


def _text(content: dict[str, Any]) -> str:
    return "".join(part["text"] for part in content["parts"])


def _data(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps(payload)}\n\n"


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\n{_data({'type': kind, **fields})}"
