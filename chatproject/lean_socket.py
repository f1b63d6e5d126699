"""uvicorn's WebSocket protocol with a short way for the frames that chat is made of: whole, plain text.

`uvicorn --ws chatproject.lean_socket:LeanSocket`. Whatever is not such a frame goes uvicorn's own way, the handshake,
control frames, fragments, compression and every error included; what an application sees is the same.
Must not know Django or chat.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.streams import StreamReader

from streaming.few import slim_event, slim_queue

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

#: The first byte of a whole text message without extensions; in the second stands this with the length.
_TEXT, _MASKED = 0x81, 0x80
#: Lengths from here on are told by two bytes more, and those by eight.
_MEDIUM, _LONG = 126, 1 << 16
#: So many may wait before the connection is left unread; uvicorn leaves it after each: two system calls a frame.
UNREAD_MOST = 16

#: Of the scope's extensions: writes several texts at once, without waiting; False: not now.
WRITE = "soksak.write"
#: Another: has a Hear called with a text that nothing is queued before; True: it is not to be queued. None: no more.
HEARD_BY = "soksak.heard_by"
Hear: TypeAlias = Callable[[str], bool]

_AT_BOUNDARY = StreamReader.at_eof.__code__


class LeanSocket(WebSocketsSansIOProtocol):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        slim_queue(self.queue)
        slim_event(self.writable)
        self._hear: Hear | None = None

    def data_received(self, data: bytes) -> None:
        text = self._text_of(data) if self._is_plain() else None
        if text is None:
            return super().data_received(data)
        # To wake whoever waits at the queue costs more than most texts that nobody need wait for.
        if self._hear is not None and not self.queue.qsize() and self._hear(text):
            return None
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() > UNREAD_MOST:
            self.read_paused = True
            self.transport.pause_reading()
        return None

    async def send(self, message: Any) -> None:
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is not None and self.write((text,)):
            return
        await super().send(message)
        if message["type"] == "websocket.accept":
            self._forget_handshake()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            cast(dict[str, object], self.scope["extensions"]).update({WRITE: self.write, HEARD_BY: self.heard_by})

    def write(self, texts: Sequence[str]) -> bool:
        if not self._is_plain() or not self.writable.is_set():
            return False
        self.transport.write(b"".join([_frame(text.encode()) for text in texts]))
        return True

    def heard_by(self, hear: Hear | None) -> None:
        self._hear = hear

    # Internal

    def _is_plain(self) -> bool:
        conn = self.conn
        return conn.state is OPEN and not conn.extensions and not self.close_sent and not self.disconnected

    def _text_of(self, data: bytes) -> str | None:
        """The message, if `data` is exactly one, and nothing of another is held by uvicorn's parser."""
        if len(data) < 6 or data[0] != _TEXT or data[1] < _MASKED or not self._is_at_boundary():
            return None
        length, start = data[1] - _MASKED, 2
        if length == _MEDIUM:
            length, start = int.from_bytes(data[2:4], "big"), 4
        if len(data) != start + 4 + length or length > (self.config.ws_max_size or length):
            return None
        try:
            return apply_mask(data[start + 4 :], data[start : start + 4]).decode()
        except UnicodeDecodeError:
            return None

    def _is_at_boundary(self) -> bool:
        """Between two messages: the parser, a generator inside the handshake's, waits for the first byte of a frame."""
        waits = getattr(getattr(self.conn.parser, "gi_yieldfrom", None), "gi_yieldfrom", None)
        return getattr(waits, "gi_code", None) is _AT_BOUNDARY and self.conn.current_size is None

    def _forget_handshake(self) -> None:
        """Both sides' headers, some KiB: nobody asks for them again."""
        for name in ("request", "response") if self.handshake_complete else ():
            vars(self).pop(name, None)


def _frame(data: bytes) -> bytes:
    length = len(data)
    if length < _MEDIUM:
        return bytes((_TEXT, length)) + data
    if length < _LONG:
        return struct.pack("!BBH", _TEXT, _MEDIUM, length) + data
    return struct.pack("!BBQ", _TEXT, 127, length) + data
