"""Bodies survive every way the network can cut them."""

from __future__ import annotations

import pytest

from tests.bench.http_wire import ResponseReader

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    b"HTTP/1.1 204 No Content\r\nServer: daphne\r\n\r\n"
    b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_answers_come_back_however_they_are_cut(step: int) -> None:
    bodies: list[bytes] = [b""]
    ends: list[int] = []

    def on_body(piece: bytes) -> None:
        bodies[-1] += piece

    def on_end(status: int) -> None:
        ends.append(status)
        bodies.append(b"")

    reader = ResponseReader(on_body, on_end)
    for at in range(0, len(ANSWERS), step):
        reader.feed(ANSWERS[at : at + step])
    assert ends == [200, 204, 503]
    assert bodies == [b"hello world", b"", b"busy", b""]
