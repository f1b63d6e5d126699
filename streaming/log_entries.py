"""What the event log holds of one answer, and how a reader puts it together again. Knows no Redis and no Django.

An entry's id is `<attempt>-<seq>`: ids only grow, so a stale owner's entry is refused by the store itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from streaming.events import Event, decode
from streaming.run import Run, Terminal

#: No answer has so many events; a number from the wire that is larger is nobody's.
SEQ_MAX = 2**31


class Whole(msgspec.Struct, tag="whole", array_like=True, frozen=True):
    """All of an attempt as of `seq`: `text` it began with at `first_seq`, then one chunk an event.

    Its first entry, and the first one after the log was lost or may have been.
    """

    attempt: int
    seq: int
    text: str
    chunks: list[str]

    @property
    def first_seq(self) -> int:
        return self.seq - len(self.chunks)


class Texts(msgspec.Struct, tag="texts", array_like=True, frozen=True):
    """Events `seq - len(chunks) + 1` to `seq`, one chunk each."""

    attempt: int
    seq: int
    chunks: list[str]


class Over(msgspec.Struct, tag="over", array_like=True, frozen=True):
    """The terminal event, as it was sent."""

    attempt: int
    seq: int
    frame: str

    def terminal(self) -> Terminal | None:
        """None: what is in the log is no end of this entry's attempt."""
        try:
            event: Event = decode(self.frame)
        except msgspec.DecodeError:
            return None
        return event if isinstance(event, Terminal) and event.attempt == self.attempt else None


Entry = Whole | Texts | Over

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    return _encoder.encode(entry)


def entry_id(entry: Entry) -> str:
    return f"{entry.attempt}-{entry.seq}"


def decode_entry(identifier: str, body: bytes | None) -> Entry | None:
    """None: not written by us, or damaged; a reader treats it as missing."""
    if body is None:
        return None
    try:
        entry = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError):
        return None
    is_sound = 1 <= entry.attempt < SEQ_MAX and 0 <= entry.seq < SEQ_MAX and entry_id(entry) == identifier
    if not isinstance(entry, Over):
        is_sound = is_sound and len(entry.chunks) <= entry.seq and (isinstance(entry, Whole) or bool(entry.chunks))
    return entry if is_sound else None


@dataclass(slots=True)
class Assembled:
    """An answer as far as the log tells it without a hole."""

    attempt: int
    first_seq: int
    text: str
    chunks: list[str]
    terminal: Terminal | None = None

    @property
    def seq(self) -> int:
        return self.first_seq + len(self.chunks)

    @property
    def whole(self) -> str:
        return self.text + "".join(self.chunks)


def assemble(entries: Iterable[Entry]) -> Assembled | None:
    """The newest attempt that has a beginning, up to the first hole; None when there is none."""
    found: Assembled | None = None
    for entry in entries:
        match entry:
            case Whole():
                if found is None or (entry.attempt, entry.seq) > (found.attempt, found.seq):
                    found = Assembled(entry.attempt, entry.first_seq, entry.text, list(entry.chunks))
            case Texts() if found is not None and entry.attempt == found.attempt:
                missing = entry.seq - found.seq
                if 0 < missing <= len(entry.chunks):
                    found.chunks += entry.chunks[-missing:]
            case Over() if found is not None and entry.attempt == found.attempt:
                found.terminal = entry.terminal()
            case _:
                continue
    return found


def whole(run: Run) -> Whole:
    return Whole(run.key.attempt, run.text_seq, run.base, run.chunks_after(run.first_seq))


def entries_after(run: Run, logged: int) -> list[Entry]:
    """What of `run` the log lacks that has everything up to the event `logged`."""
    attempt, entries = run.key.attempt, list[Entry]()
    if logged < run.text_seq:
        entries.append(Texts(attempt, run.text_seq, run.chunks_after(logged)))
    if run.terminal is not None and logged < run.seq:
        entries.append(Over(attempt, run.seq, run.closing_frame()))
    return entries


class Copy:
    """How far the log has one run. Doubt ends when all of the run has been written."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.is_sure = False
        #: When its life in the store was lengthened last, monotonic seconds.
        self.lengthened_at = -math.inf
        self._seq = -1

    @property
    def is_done(self) -> bool:
        """Over and written; or let go, and somebody else's to write."""
        return self.run.is_over and (self.run.terminal is None or self._seq >= self.run.seq)

    def lacks(self) -> list[Entry]:
        if self.is_sure:
            return entries_after(self.run, self._seq)
        return [whole(self.run), *entries_after(self.run, self.run.text_seq)]

    def written(self, entry: Entry) -> None:
        self._seq = entry.seq
        self.is_sure = self.is_sure or isinstance(entry, Whole)
