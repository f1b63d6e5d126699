"""WebSocket frames by hand (RFC 6455), as little as the load client and the floor need.

Text, close, ping and pong, unfragmented, no extensions. Must not know the contract.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def new_key() -> bytes:
    return base64.b64encode(os.urandom(16))


def accept_key(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def server_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    return _head(opcode, len(payload), 0) + payload


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Masked, as a client must, with the key zero: the payload stays as it is and costs nothing."""
    return _head(opcode, len(payload), 0x80) + b"\0\0\0\0" + payload


def _head(opcode: int, length: int, mask: int) -> bytes:
    if length < 126:
        return bytes((0x80 | opcode, mask | length))
    if length < 65_536:
        return bytes((0x80 | opcode, mask | 126)) + length.to_bytes(2, "big")
    return bytes((0x80 | opcode, mask | 127)) + length.to_bytes(8, "big")


class FrameReader:
    """Bytes as they come in, whole frames out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(opcode, payload) of every frame completed by `data`; ValueError on a fragmented frame."""
        buffer = self._rest + data if self._rest else data
        at = 0
        while (frame := _read_frame(buffer, at)) is not None:
            opcode, payload, at = frame
            yield opcode, payload
        self._rest = buffer[at:]


def _read_frame(buffer: bytes, at: int) -> tuple[int, bytes, int] | None:
    if len(buffer) - at < 2:
        return None
    first, second = buffer[at], buffer[at + 1]
    if not first & 0x80 or first & 0x70:
        raise ValueError(f"a fragmented or extended frame ({first:#x}) is not expected here")
    length, at = second & 0x7F, at + 2
    if length >= 126:
        width = 2 if length == 126 else 8
        length, at = int.from_bytes(buffer[at : at + width], "big"), at + width
    key_length = 4 if second & 0x80 else 0
    start = at + key_length
    if len(buffer) < start + length:
        return None
    payload = buffer[start : start + length]
    return first & 0x0F, _unmask(payload, buffer[at:start]), start + length


def _unmask(payload: bytes, key: bytes) -> bytes:
    if not any(key):
        return payload
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(payload), "big")
