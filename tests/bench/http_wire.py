"""HTTP/1.1 answers by hand, as little as the load client needs: a status, and bodies with a length or in chunks.

Must not know the contract.
"""

from __future__ import annotations

from collections.abc import Callable


class ResponseReader:
    """Bytes as they come in; `on_body` gets each piece of a body, `on_end` the status when the body is over."""

    def __init__(self, on_body: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        self._on_body, self._on_end = on_body, on_end
        self._buffer = b""
        self._status = 0
        #: Bytes of the body, or of the chunk, that are still to come; -1: a head is awaited.
        self._left = -1
        self._is_chunked = False

    def feed(self, data: bytes) -> None:
        """ValueError on what is no answer of HTTP/1.1."""
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Whether it got any further."""
        if self._left < 0:
            return self._take_head()
        if self._left:
            return self._take_body()
        return self._take_size() if self._is_chunked else self._end()

    def _take_head(self) -> bool:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        first, *lines = head.split(b"\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        self._status = int(first.split(b" ")[1])
        self._is_chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        self._left = 0 if self._is_chunked else int(fields.get(b"content-length", b"0"))
        self._buffer = rest
        return True

    def _take_body(self) -> bool:
        piece = self._buffer[: self._left]
        if not piece:
            return False
        self._left -= len(piece)
        self._buffer = self._buffer[len(piece) :]
        self._on_body(piece)
        return True

    def _take_size(self) -> bool:
        """The line before a chunk; the empty one that ends the chunk before it is skipped."""
        line, separator, rest = self._buffer.partition(b"\r\n")
        if not separator:
            return False
        if not line:
            self._buffer = rest
            return True
        size = int(line.split(b";")[0], 16)
        if size:
            self._buffer, self._left = rest, size
            return True
        if not rest.startswith(b"\r\n"):
            return False
        self._buffer = rest[2:]
        return self._end()

    def _end(self) -> bool:
        self._left = -1
        self._on_end(self._status)
        return bool(self._buffer)
