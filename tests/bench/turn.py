"""One message and its answer as the load client sees them: every token checked, every time taken.

Knows the contract's events; knows no socket.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from streaming.events import checksum
from tests.bench.tokens import now_micros, read_units


class ChunkFrame(msgspec.Struct, tag="ai_message_chunk", tag_field="type", rename="camel"):
    """The fields of a chunk event that are checked; the hot frame, so it has a decoder of its own."""

    message_id: str
    seq: int
    chunk: str
    from_seq: int = -1


@dataclass
class Tally:
    """What one load run saw. Times are microseconds; only what happens while `is_measuring` is kept."""

    is_measuring: bool = False
    tokens: int = 0
    frames: int = 0
    turns: int = 0
    added_first: list[int] = field(default_factory=list)
    added_token: list[int] = field(default_factory=list)
    #: Kept from the first moment on, measuring or not: a wrong token is wrong at any time.
    faults: Counter[str] = field(default_factory=Counter)


class Turn:
    """From the command's sending to the end event."""

    def __init__(self, request_id: str, tally: Tally, tokens: int) -> None:
        self.request_id = request_id
        self.is_ended = self.is_done = False
        self._tally = tally
        self._tokens = tokens
        self._seq = 0
        self._index = -1
        self._text: list[str] = []
        self._sent = now_micros()

    def chunk(self, frame: ChunkFrame, arrived: int) -> None:
        """A chunk event that arrived at `arrived` microseconds."""
        first = frame.seq if frame.from_seq < 0 else frame.from_seq
        if first != self._seq + 1:
            self._tally.faults["seq"] += 1
        self._seq = frame.seq
        self._text.append(frame.chunk)
        units = read_units(frame.chunk)
        self._check_order(units)
        if self._tally.is_measuring:
            self._take_times(units, arrived)

    def _check_order(self, units: list[tuple[int, int]]) -> None:
        for index, _ in units:
            if index > self._index + 1:
                self._tally.faults["gap"] += 1
            elif index <= self._index:
                self._tally.faults["duplicate"] += 1
            self._index = index

    def _take_times(self, units: list[tuple[int, int]], arrived: int) -> None:
        tally = self._tally
        tally.frames += 1
        if units[0][0] == 0:
            received = units.pop(0)[1]
            tally.added_first.append((arrived - self._sent) - (units[0][1] - received))
        tally.tokens += len(units)
        tally.added_token.extend(arrived - sent for _, sent in units)

    def end(self, event: dict[str, object]) -> None:
        """The end event: its content must be what was streamed, and whole."""
        text = "".join(self._text)
        if self._index != self._tokens:
            self._tally.faults["incomplete"] += 1
        if event["content"] != text:
            self._tally.faults["content"] += 1
        if event["length"] != len(text) or event["checksum"] != checksum(text):
            self._tally.faults["checksum"] += 1
        self.is_ended = True
        self._tally.turns += self._tally.is_measuring
