"""What the two references share: the provider's deltas in, events of the contract's shape out, nothing kept."""

from __future__ import annotations

import uuid

import msgspec

from streaming.events import checksum


class Content(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    delta: Content


class Delta(msgspec.Struct):
    """One SSE frame of an OpenAI-compatible stream, typed: what is not named is skipped, not built."""

    choices: list[Choice]

    @property
    def text(self) -> str:
        return (self.choices[0].delta.content or "") if self.choices else ""


class SendMessage(msgspec.Struct, tag="send_message", tag_field="type", rename="camel"):
    request_id: str
    text: str


class _Event(msgspec.Struct, tag_field="type", rename="camel", kw_only=True):
    pass


class Ready(_Event, tag="ready", kw_only=True):
    #: No window: the references want no `received`.
    window: int = 0
    path: str = "stream"


class Ack(_Event, tag="ack", kw_only=True):
    request_id: str
    stage: str


class Start(_Event, tag="ai_message_start", kw_only=True):
    request_id: str
    room_id: str
    message_id: str
    seq: int
    attempt: int


class Chunk(_Event, tag="ai_message_chunk", kw_only=True):
    request_id: str
    room_id: str
    message_id: str
    seq: int
    attempt: int
    chunk: str


class End(_Event, tag="ai_message_end", kw_only=True):
    request_id: str
    content: str
    length: int
    checksum: str


class Answer:
    """One answer's events, numbered as the contract numbers them."""

    def __init__(self, command: SendMessage) -> None:
        self._request_id = command.request_id
        self._room_id = self._message_id = str(uuid.uuid4())
        self._seq = 0
        self._parts: list[str] = []

    def begin(self) -> list[msgspec.Struct]:
        start = Start(
            request_id=self._request_id, room_id=self._room_id, message_id=self._message_id, seq=0, attempt=1
        )
        return [Ack(request_id=self._request_id, stage="accepted"), start]

    def chunk(self, text: str) -> Chunk:
        self._seq += 1
        self._parts.append(text)
        return Chunk(
            request_id=self._request_id,
            room_id=self._room_id,
            message_id=self._message_id,
            seq=self._seq,
            attempt=1,
            chunk=text,
        )

    def finish(self) -> list[msgspec.Struct]:
        text = "".join(self._parts)
        end = End(request_id=self._request_id, content=text, length=len(text), checksum=checksum(text))
        return [end, Ack(request_id=self._request_id, stage="done")]


def ready_frame() -> bytes:
    return msgspec.json.encode(Ready())


def request_body(text: str) -> bytes:
    return msgspec.json.encode({
        "model": "bench",
        "messages": [{"role": "user", "content": text}],
        "stream": True,
        "stream_options": {"include_usage": True},
    })
