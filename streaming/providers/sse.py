"""Server-sent events out of bytes, a batch at a time. Knows no provider and no HTTP.

Only the `data` of events is kept: the providers we speak to repeat the event's name inside it.
"""

from __future__ import annotations

from streaming.providers.base import ProviderError

#: An event that is longer than this before it ends is not a token any more.
EVENT_MAX_BYTES = 256 * 1024
_BOM = b"\xef\xbb\xbf"


class EventParser:
    """Bytes in, split anywhere; data payloads out. Raises `provider_garbage` for an endless event."""

    __slots__ = ("_held_cr", "_limit", "_rest")

    def __init__(self, *, limit: int = EVENT_MAX_BYTES) -> None:
        self._rest = b""
        self._held_cr = b""
        self._limit = limit

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads of every event that `data` completes, in order."""
        buffer = self._rest + data if self._rest else data
        if self._held_cr or b"\r" in data:
            buffer = self._unified(self._rest, self._held_cr + data)
        end = buffer.rfind(b"\n\n")
        if end < 0:
            self._keep(buffer)
            return []
        self._keep(buffer[end + 2 :])
        return _payloads(buffer[:end])

    def close(self) -> list[bytes]:
        """Payloads of what is left when the bytes end: some servers forget the last blank line."""
        rest, self._rest, self._held_cr = self._rest, b"", b""
        return _payloads(rest)

    # Internal

    def _unified(self, rest: bytes, data: bytes) -> bytes:
        """Every line end as LF; a CR at the very end is held, it may be half of a CRLF."""
        self._held_cr = b"\r" if data.endswith(b"\r") else b""
        whole = data[: len(data) - len(self._held_cr)]
        return rest + whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, rest: bytes) -> None:
        if len(rest) > self._limit:
            self._rest = b""
            raise ProviderError("provider_garbage", "An event of the stream does not end.", retryable=True)
        self._rest = rest


def _payloads(block: bytes) -> list[bytes]:
    # Nearly always every event is the one line "data: …", and no other line end is left.
    if block.startswith(b"data: "):
        lines = block[6:].split(b"\n\ndata: ")
        if block.count(b"\n") == 2 * (len(lines) - 1):
            return lines
    return _each(block)


def _each(block: bytes) -> list[bytes]:
    found: list[bytes] = []
    for event in block.split(b"\n\n"):
        if event.startswith(b"data: ") and b"\n" not in event:
            found.append(event[6:])
        elif data := _data_of(event):
            found.append(data)
    return found


def _data_of(event: bytes) -> bytes:
    lines = event.removeprefix(_BOM).split(b"\n")
    data = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    # Gemini breaks a stream off with its error as bare JSON over several lines.
    return event.strip() if not data and lines[0].startswith(b"{") else data
