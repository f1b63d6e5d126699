"""A model server for tests, in a process of its own: in three dialects, and as bad as the model's name.

`python -m tests.provider_server [--port N]` prints `READY http://…` and serves until its stdin closes. What it may be
asked to do: tests/provider_behaviour.py. Besides the models: GET /_seen?model=PART (requests received),
GET /_open (models of running streams), GET /_closed?model=NAME (waits until a client has left such a stream early),
GET /_calls (calls by model), GET /_held (ids at their gates), GET /_gate?ids=A,B&how=go|cut|… (opens them).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import uvloop

from tests.provider_answer import Answer
from tests.provider_behaviour import DIRECTED, directed, parse
from tests.provider_faces import GEMINI_PREFIX, AnthropicFace, GeminiFace, OpenAIFace, as_openai
from tests.provider_gates import GO, Gates

FACES: dict[str, type[OpenAIFace] | type[AnthropicFace] | type[GeminiFace]] = {
    "/v1/chat/completions": OpenAIFace, "/v1/messages": AnthropicFace, GEMINI_PREFIX: GeminiFace,
}
CLOSED_WAIT_SECONDS = 20.0


class Book:
    """What the server has seen; shared by its connections."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.open: list[str] = []
        self.closed: list[dict[str, Any]] = []
        self.misbehaved: set[str] = set()
        self.connections = 0
        self.calls: Counter[str] = Counter()
        self.gates = Gates()
        self._changed = asyncio.Event()

    def close(self, model: str, sent: int) -> None:
        self.closed.append({"model": model, "sent": sent})
        self._changed.set()
        self._changed = asyncio.Event()

    async def closing(self, model: str) -> dict[str, Any] | None:
        async with asyncio.timeout(CLOSED_WAIT_SECONDS):
            while True:
                for record in self.closed:
                    if record["model"] == model:
                        return record
                await self._changed.wait()


class Connection(asyncio.Protocol):
    """One keep-alive connection, one answer at a time; a client that leaves cancels its answer."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._book.connections += 1
        self._number = self._book.connections

    def connection_lost(self, error: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        headers = _headers(head)
        length = int(headers.get("content-length", 0))
        if found and len(rest) >= length:
            self._buffer = rest[length:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            self._task = asyncio.create_task(self._respond(method, target, headers, rest[:length]))

    async def _respond(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        url = urlsplit(target)
        if method == "POST" and url.path in FACES:
            await self._answer(url.path, headers, json.loads(body))
        elif method == "POST" and url.path.startswith(GEMINI_PREFIX):
            await self._answer(GEMINI_PREFIX, headers, as_openai(url.path, json.loads(body)))
        elif method == "GET" and url.path.startswith("/_"):
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self._send(200, await self._report(url.path, query))
        else:
            self._send(404, {"error": {"message": f"{method} {url.path} is not here"}}, with_body=method != "HEAD")

    async def _answer(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> None:
        book, model = self._book, str(body["model"])
        if model.startswith(DIRECTED):
            model = directed(body["messages"])
        book.calls[model] += 1
        book.seen.append({
            "path": path, "model": model, "stream": bool(body.get("stream")), "body": body,
            "headers": headers, "connection": self._number,
        })
        try:
            behaviour = parse(model)
        except ValueError as error:
            self._send(404, {"error": {"message": str(error), "type": "not_found_error"}})
            return
        if "once" in behaviour.flags and model in book.misbehaved:
            behaviour.behave()
        book.misbehaved.add(model)
        self._answers += 1
        if "stale" in behaviour.flags and self._answers > 1:
            self._transport.abort()
            return
        await Answer(self._transport, behaviour, FACES[path](model), body, book).give()

    async def _report(self, path: str, query: dict[str, str]) -> Any:
        model = query.get("model", "")
        match path:
            case "/_calls":
                return self._book.calls
            case "/_held":
                return self._book.gates.held
            case "/_gate":
                for name in query["ids"].split(","):
                    self._book.gates.open(name, query["how"])
                return {}
            case "/_seen":
                return [seen for seen in self._book.seen if model in seen["model"]]
            case "/_open":
                return self._book.open
            case "/_closed":
                return await self._book.closing(model)
        return {"error": "unknown"}

    def _send(self, status: int, payload: Any, *, with_body: bool = True) -> None:
        data = json.dumps(payload).encode() if with_body else b""
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self._transport.write(head.encode() + data)


def _headers(head: bytes) -> dict[str, str]:
    lines = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
    return {name.lower(): value for name, value in lines}


class RunningServer:
    """Addresses of a running server, and what it has seen; for tests in any process."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.openai_url = f"{base_url}/v1"

    def seen(self, model: str = "") -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._get(f"/_seen?model={quote(model)}"))

    def open(self) -> list[str]:
        return cast("list[str]", self._get("/_open"))

    def calls(self) -> Counter[str]:
        """How often each model, or each directed one's script, has been asked."""
        return Counter(self._get("/_calls"))

    def held(self) -> list[str]:
        """Ids of the answers that stand still at their gates."""
        return cast("list[str]", self._get("/_held"))

    def let_go(self, ids: Iterable[str], how: str = GO) -> None:
        """Opens these gates: what is held there goes on, or gets into the trouble that `how` names."""
        self._get(f"/_gate?ids={quote(','.join(ids))}&how={how}")

    def wait_until_left(self, model: str) -> dict[str, Any]:
        """Returns once a client has closed a stream of exactly this model before its end; {model, sent}."""
        return cast("dict[str, Any]", self._get(f"/_closed?model={quote(model)}"))

    def _get(self, path: str) -> Any:
        with urlopen(self.base_url + path, timeout=CLOSED_WAIT_SECONDS + 10) as response:
            return json.load(response)


@contextmanager
def running(port: int = 0) -> Iterator[RunningServer]:
    """The server as a child process; it ends with this block, or with the process that opened it."""
    command = [sys.executable, "-m", "tests.provider_server", "--port", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith("READY "), f"the provider server did not start: {line!r}"
        try:
            yield RunningServer(line.split()[1])
        finally:
            child.terminate()


async def serve(port: int) -> None:
    loop, book = asyncio.get_running_loop(), Book()
    server = await loop.create_server(lambda: Connection(book), "127.0.0.1", port)
    print(f"READY http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    uvloop.run(serve(parser.parse_args().port))
