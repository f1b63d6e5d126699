"""What an operator is told of a connection that cannot be made. Sockets are real; each refuses in a way of its own."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

import pytest

from streaming.providers.base import ProviderError
from streaming.providers.http import HttpClient
from streaming.providers.refusals import UNREACHABLE, of_network

Answer = Callable[[StreamReader, StreamWriter], Awaitable[None]]


async def told(url: str, *, connect_seconds: float = 5.0) -> str:
    client = HttpClient(connect_seconds=connect_seconds)
    try:
        with pytest.raises(UNREACHABLE) as caught:
            await client.post(url, headers={}, content=b"{}")
    finally:
        await client.aclose()
    error = of_network(caught.value)
    assert isinstance(error, ProviderError)
    assert (error.code, error.retryable) == ("provider_unavailable", True)
    return error.message


async def told_by(answer: Answer, scheme: str, *, connect_seconds: float = 5.0) -> tuple[str, int]:
    """Of a server that takes connections and then does this; and its port."""
    gone = asyncio.Event()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await answer(reader, writer)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # the client was the first to go
        finally:
            gone.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        message = await told(f"{scheme}://127.0.0.1:{port}/", connect_seconds=connect_seconds)
        await gone.wait()
    return message, port


async def hang_up(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.read(1)


async def speak_plainly(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def say_nothing(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_port_where_nobody_listens_is_a_refused_connection(scheme: str, free_port: int) -> None:
    message = await told(f"{scheme}://127.0.0.1:{free_port}/")
    assert message == f"connection_refused: Nothing takes connections at 127.0.0.1:{free_port}."


async def test_a_host_that_is_not_there_is_a_name_that_was_not_found() -> None:
    message = await told("http://no.such.invalid/")
    assert message.startswith("name_not_found: The name no.such.invalid leads to no address (")


async def test_a_server_without_tls_is_a_failure_of_tls() -> None:
    message, port = await told_by(speak_plainly, "https")
    assert message.startswith(f"tls_failed: 127.0.0.1:{port} speaks no TLS that we understand (")


async def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    message, _ = await told_by(say_nothing, "https", connect_seconds=0.05)
    assert message == "connect_timeout: No connection came about in time."


@pytest.mark.parametrize(("scheme", "said"), [
    ("http", "The connection ended before an answer came"), ("https", "hung up while the connection was made."),
])
async def test_a_server_that_hangs_up_broke_the_connection(scheme: str, said: str) -> None:
    message, _ = await told_by(hang_up, scheme)
    assert message.startswith("connection_broken: ")
    assert said in message
