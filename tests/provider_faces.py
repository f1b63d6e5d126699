"""How a scripted model's answer looks on the wire: as an OpenAI-compatible server and as Anthropic's sends it."""

from __future__ import annotations

import json
from typing import Any, Protocol


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


def _data(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps(payload)}\n\n"


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\n{_data({'type': kind, **fields})}"
