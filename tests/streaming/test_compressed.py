"""Bodies that a server compressed although nobody asked for it: read like others, and never larger than others."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streaming.providers import Providers
from streaming.providers.base import ProviderError, Route, Text
from tests.streaming.asking import QUESTION

MIB = 2**20
GZIP, ZLIB = zlib.MAX_WBITS | 16, zlib.MAX_WBITS
#: Of what one endless line costs: a few times the longest answer that is taken.
MOST_BYTES = 16 * MIB
ANSWER = (
    b'data: {"choices":[{"delta":{"content":"The rain."}}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


def packed(*parts: bytes, wbits: int = GZIP) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return b"".join([*map(packer.compress, parts), packer.flush()])


@asynccontextmanager
async def served(body: bytes, encoding: str) -> AsyncIterator[Route]:
    """A route to a server that answers everything with this body."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        head = f"Content-Type: text/event-stream\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n"
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body)
            await reader.read()
        except ConnectionError:
            pass  # the client went before it had read everything
        finally:
            writer.close()
            gone.set()

    gone = asyncio.Event()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Route("m", "openai", f"http://127.0.0.1:{port}/v1", "m")
        await gone.wait()


async def told(body: bytes, encoding: str, *, stream: bool = True) -> tuple[str, str]:
    """(text, code of the error)."""
    text, code = "", ""
    async with served(body, encoding) as route:
        providers = Providers()
        try:
            async for piece in providers.provider_for(route).generate(QUESTION, stream=stream):
                text += piece.text if isinstance(piece, Text) else ""
        except ProviderError as error:
            code = error.code
        finally:
            await providers.aclose()
    return text, code


@pytest.mark.parametrize("stream", [True, False])
async def test_a_small_body_that_is_huge_once_unpacked_is_refused_before_it_is_unpacked(stream: bool) -> None:
    bomb = packed(b"data: ", *[b"x" * MIB] * 200)
    tracemalloc.start()
    try:
        assert await told(bomb, "gzip", stream=stream) == ("", "provider_garbage")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", GZIP), ("x-gzip", GZIP), ("GZIP", GZIP), ("deflate", ZLIB)])
async def test_a_compressed_answer_is_read(encoding: str, wbits: int) -> None:
    assert await told(packed(ANSWER, wbits=wbits), encoding) == ("The rain.", "")


async def test_an_answer_of_many_pieces_at_once_loses_none() -> None:
    words = [f'data: {{"choices":[{{"delta":{{"content":"{number} "}}}}]}}\n\n'.encode() for number in range(5000)]
    text, code = await told(packed(*words, ANSWER), "gzip")
    assert (text, code) == ("".join(f"{number} " for number in range(5000)) + "The rain.", "")


@pytest.mark.parametrize(("body", "text"), [
    (b"no gzip at all", ""), (packed(ANSWER[:60])[:-4], "The rain."), (packed(packed(ANSWER)), ""),
], ids=["it is none", "cut short", "twice"])
async def test_what_cannot_be_unpacked_is_an_answer_that_is_not_whole(body: bytes, text: str) -> None:
    assert await told(body, "gzip") == (text, "provider_incomplete")


@pytest.mark.parametrize("encoding", ["identity", ""])
async def test_what_says_that_it_is_not_compressed_is_read_as_it_is(encoding: str) -> None:
    assert await told(ANSWER, encoding) == ("The rain.", "")
