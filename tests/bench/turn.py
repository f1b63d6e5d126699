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
    #: Of answers whose request went to the provider at once; those that waited their turn are counted apart.
    added_first: list[int] = field(default_factory=list)
    added_token: list[int] = field(default_factory=list)
    #: Of whole answers: from the sending to the end, beyond what the provider itself took.
    added_end: list[int] = field(default_factory=list)
    #: From the sending to the first word about a queue, and to a refusal.
    told_waiting: list[int] = field(default_factory=list)
    told_refused: list[int] = field(default_factory=list)
    #: Of the refused: those that had been accepted, and then found the queue full.
    accepted_in_vain: int = 0
    #: Kept from the first moment on, measuring or not: a wrong token is wrong at any time.
    faults: Counter[str] = field(default_factory=Counter)


class Turn:
    """From the command's sending to the end event."""

    def __init__(self, request_id: str, tally: Tally, tokens: int) -> None:
        self.request_id = request_id
        self.is_ended = self.is_done = False
        #: Milliseconds since the sending, as a browser notes them for its report.
        self.marks: dict[str, float] = {"click": 0.0, "sent": 0.0}
        self._tally = tally
        self._tokens = tokens
        self._seq = 0
        self._index = -1
        self._text: list[str] = []
        self._received = self._last = 0
        self._has_waited = False
        self._sent = now_micros()

    def chunk(self, frame: ChunkFrame, arrived: int) -> None:
        """A chunk event that arrived at `arrived` microseconds."""
        first = frame.seq if frame.from_seq < 0 else frame.from_seq
        if first != self._seq + 1:
            self._tally.faults["seq"] += 1
        self._seq = frame.seq
        self._text.append(frame.chunk)
        self._take(read_units(frame.chunk), arrived)

    def snapshot(self, seq: int, text: str, arrived: int) -> None:
        """The whole text so far, instead of what was seen of it."""
        self._seq, self._text = seq, [text]
        units = [unit for unit in read_units(text) if unit[0] > self._index]
        if units:
            self._take(units, arrived)

    def _take(self, units: list[tuple[int, int]], arrived: int) -> None:
        self._check_order(units)
        if units[0][0] == 0:
            self._received = units.pop(0)[1]
            self._first(units[0][1], arrived)
        self._last = units[-1][1]
        if self._tally.is_measuring:
            self._tally.frames += 1
            self._tally.tokens += len(units)
            self._tally.added_token.extend([arrived - sent for _, sent in units])

    def _check_order(self, units: list[tuple[int, int]]) -> None:
        for index, _ in units:
            if index > self._index + 1:
                self._tally.faults["gap"] += 1
            elif index <= self._index:
                self._tally.faults["duplicate"] += 1
            self._index = index

    def _first(self, sent: int, arrived: int) -> None:
        self.marks["first_chunk"] = self.marks["first_paint"] = (arrived - self._sent) / 1000
        if self._tally.is_measuring and not self._has_waited:
            self._tally.added_first.append((arrived - self._sent) - (sent - self._received))

    def waits(self, arrived: int) -> None:
        """The server says that others are ahead."""
        if not self._has_waited and self._tally.is_measuring:
            self._tally.told_waiting.append(arrived - self._sent)
        self._has_waited = True

    def refused(self, arrived: int, *, was_accepted: bool) -> None:
        if self._tally.is_measuring:
            self._tally.told_refused.append(arrived - self._sent)
            self._tally.accepted_in_vain += was_accepted

    def whole(self, content: str) -> None:
        """A completed response's text: nothing of it was seen before."""
        units = read_units(content)
        self._check_order(units)
        self._text.append(content)
        self._received, self._last = units[0][1], units[-1][1]
        if self._tally.is_measuring:
            self._tally.frames += 1
            self._tally.tokens += len(units) - 1

    def end(self, event: dict[str, object], arrived: int) -> None:
        """The end event: its content must be what was streamed, and whole."""
        text, tally = "".join(self._text), self._tally
        if self._index != self._tokens:
            tally.faults["incomplete"] += 1
        if event["content"] != text:
            tally.faults["content"] += 1
        if event["length"] != len(text) or event["checksum"] != checksum(text):
            tally.faults["checksum"] += 1
        self.is_ended = True
        self.marks["end"] = (arrived - self._sent) / 1000
        if tally.is_measuring:
            tally.turns += 1
            if not self._has_waited:
                tally.added_end.append((arrived - self._sent) - (self._last - self._received))

    def mark(self, stage: str) -> None:
        """Reached now, once."""
        self.marks.setdefault(stage, (now_micros() - self._sent) / 1000)
