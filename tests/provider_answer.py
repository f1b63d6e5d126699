"""One answer of the scripted model server, written to a transport as its behaviour says."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from typing import Any, Protocol

from tests.provider_behaviour import Behaviour, stamped
from tests.provider_faces import Face, usage_of
from tests.provider_gates import GO, Gates

_SSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"
)
_GZIPPED = "Content-Encoding: gzip\r\n"
_GZIP_WINDOW_BITS = 31
_BARE_ERROR = json.dumps({"error": {"code": 429, "message": "Exhausted.", "status": "RESOURCE_EXHAUSTED"}}, indent=2)
_TOO_LONG = {"type": "exceed_context_size_error", "message": "the prompt exceeds the context", "n_ctx": 4096}
PING_SECONDS = 0.02
REPEATED_CHARS = 40
HUGE_BYTES = 400 * 1024


class Record(Protocol):
    open: list[str]
    gates: Gates

    def close(self, model: str, sent: int) -> None: ...


class Answer:
    def __init__(
        self, transport: asyncio.Transport, behaviour: Behaviour, face: Face, body: dict[str, Any], record: Record
    ) -> None:
        self._transport = transport
        self._behaviour = behaviour
        self._face = face
        self._body = body
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._sent = 0
        self._zip = zlib.compressobj(wbits=_GZIP_WINDOW_BITS) if "gzip" in behaviour.flags else None

    async def give(self) -> None:
        """Cancelled when the client leaves."""
        self._record.open.append(self._behaviour.name)
        try:
            if not await self._refuse() and await self._passed("ask"):
                await (self._stream() if self._body.get("stream") else self._complete())
        except asyncio.CancelledError:
            self._record.close(self._behaviour.name, self._sent)
        finally:
            self._record.open.remove(self._behaviour.name)

    async def _refuse(self) -> bool:
        behaviour = self._behaviour
        if "hang-connect" in behaviour.flags:
            await asyncio.Event().wait()
        if "redirect" in behaviour.flags:
            self._reply(302, {}, "Location: /elsewhere\r\n")
        elif "fail-context" in behaviour.flags:
            self._reply(400, {"error": _TOO_LONG})
        elif "html" in behaviour.flags:
            self._reply(200, "<html>hello</html>", kind="text/html")
        elif behaviour.fail_status:
            after = f"Retry-After: {behaviour.retry_after}\r\n" if behaviour.retry_after else ""
            self._reply(behaviour.fail_status, {"error": {"message": "As asked.", "type": "scripted"}}, after)
        else:
            return False
        return True

    async def _complete(self) -> None:
        tokens = self._tokens()
        await asyncio.sleep(self._behaviour.first_seconds)
        usage = usage_of(self._body["messages"], len(tokens))
        self._reply(200, self._face.completed("".join(tokens), self._reason(), usage))

    async def _stream(self) -> None:
        self._transport.write(_SSE + (_GZIPPED if self._zip else "").encode() + b"\r\n")
        for frame in self._face.opening():
            await self._write(frame)
        if "hang-first" in self._behaviour.flags:
            await asyncio.Event().wait()
        if "ping-first" in self._behaviour.flags:
            await self._ping_forever()
        await asyncio.sleep(self._behaviour.first_seconds)
        if await self._passed("first") and await self._content() and await self._passed("end"):
            await self._end()

    async def _passed(self, place: str, left: int = -1) -> bool:
        """False when it got into trouble at its gate. `left`: tokens that are still to come."""
        behaviour = self._behaviour
        if behaviour.gate != place or (place == "after" and left != len(behaviour.tokens) - behaviour.gate_at):
            return True
        how = await self._record.gates.wait(behaviour.id)
        if how == GO:
            return True
        await self._trouble(how)
        return False

    async def _content(self) -> bool:
        """Every token in its time; False when trouble has ended the stream."""
        behaviour, tokens, began = self._behaviour, self._tokens(), self._loop.time()
        for start in range(0, len(tokens) + 1, behaviour.burst):
            if behaviour.trouble and self._sent >= behaviour.trouble_at:
                await self._trouble(behaviour.trouble)
                return False
            if not await self._passed("after", len(tokens) - start):
                return False
            if start == len(tokens):
                break
            if behaviour.rate:
                await asyncio.sleep(began + start / behaviour.rate - self._loop.time())
            burst = tokens[start : start + behaviour.burst]
            await self._write("".join(map(self._token, burst)))
            self._sent += len(burst)
        return True

    def _token(self, text: str) -> str:
        frame = self._face.token(stamped() if self._behaviour.is_stamped else text)
        return f": a comment\n\n:\n{frame}" if "comments" in self._behaviour.flags else frame

    async def _trouble(self, kind: str) -> None:
        frames = {
            "garbage": "data: {this is not json\n\n", "huge": "data: " + "x" * HUGE_BYTES, "bare": _BARE_ERROR,
            "errorframe": self._face.error(),
        }
        if kind in frames:
            await self._write(frames[kind])
        match kind:
            case "ping":
                await self._ping_forever()
            case "cut":
                self._transport.close()
            case "reset":
                self._transport.abort()
            case "end" | "bare":
                self._transport.write(b"0\r\n\r\n")
            case _:
                await asyncio.Event().wait()

    async def _end(self) -> None:
        usage: dict[str, Any] = usage_of(self._body["messages"], self._sent)
        if "badusage" in self._behaviour.flags:
            usage = {name: count + 0.5 for name, count in usage.items()}
        for frame in self._face.ending(self._reason(), usage, self._behaviour.flags):
            await self._write(frame)
        if "lateend" in self._behaviour.flags:
            await asyncio.sleep(0.2)
        self._transport.write(b"0\r\n\r\n")

    async def _ping_forever(self) -> None:
        while True:
            await self._write(self._face.ping())
            await asyncio.sleep(PING_SECONDS)

    async def _write(self, frame: str) -> None:
        data = frame.replace("\n", "\r\n").encode() if "crlf" in self._behaviour.flags else frame.encode()
        if self._zip:
            data = self._zip.compress(data) + self._zip.flush(zlib.Z_SYNC_FLUSH)
        if "bytes" not in self._behaviour.flags:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
            return
        for byte in data:
            self._transport.write(b"1\r\n%c\r\n" % byte)
            await asyncio.sleep(0)

    def _tokens(self) -> list[str]:
        """What is left to say: nothing that the answer already has, save its tail when it is one to repeat."""
        behaviour, messages = self._behaviour, self._body["messages"]
        if "empty" in behaviour.flags:
            return []
        tokens = _pieces(f"{_text(messages[-1])} ") if behaviour.is_echo else behaviour.tokens
        begun = next((_text(message) for message in messages[:-3:-1] if message["role"] == "assistant"), "")
        text = "".join(tokens)
        if not begun or not text.startswith(begun):
            return tokens
        repeated = begun[-REPEATED_CHARS:] if "repeat" in behaviour.flags else ""
        return _pieces(repeated + text[len(begun) :])

    def _reason(self) -> str:
        flags = self._behaviour.flags
        return "length" if "length" in flags else "content_filter" if "filter" in flags else "stop"

    def _reply(self, status: int, payload: Any, headers: str = "", kind: str = "application/json") -> None:
        data = (payload if isinstance(payload, str) else json.dumps(payload)).encode() * (status not in BODILESS)
        if self._zip:
            data, headers = self._zip.compress(data) + self._zip.flush(), headers + _GZIPPED
        head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
        self._transport.write(head.encode() + data)


#: Statuses after which no body may come.
BODILESS = (204, 304)


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s?|\s+", text)


def _text(message: dict[str, Any]) -> str:
    """A message's text, whether it is a string or Anthropic's list of blocks."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(block["text"] for block in content)
