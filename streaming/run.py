"""One answer while it is written: the buffer that live readers, late readers and the log all read.

Gives each event its seq, once. Must not know sockets, providers or the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from msgspec import UNSET, UnsetType

from streaming.attendance import Attendance
from streaming.events import Ack, Chunk, End, Failure, Rewind, Snapshot, Start, Waiting, checksum, encode

Terminal = End | Failure


class Follower(Protocol):
    """Somebody who reads a run by cursor and wants to know that there is more."""

    def run_moved(self) -> None: ...

    def post(self, frame: str) -> None:
        """A frame that is no event of the run: sent as it is, once."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """What every event of the run repeats."""

    request_id: str
    room_id: UUID
    message_id: UUID
    attempt: int


class Run:
    """Text grows by events: seq 0 is the start, each append takes the next seq, the end the last.

    A run that took over (`attempt` > 1) holds the text up to the rewind as one block: events before
    `first_seq` are not kept one by one, a reader who needs them gets a snapshot.
    """

    def __init__(
        self, key: RunKey, *, reply_to: UUID | None, position: int, head: int, text: str = "", first_seq: int = 0,
        is_whole: bool = True,
    ) -> None:
        self.key = key
        self.reply_to = reply_to
        self.position = position
        self.head = head
        self.first_seq = first_seq
        self.seq = first_seq
        self.length = len(text)
        self.base_length = len(text)
        self.terminal: Terminal | None = None
        #: Done when the run is over: the terminal event, or None when somebody else took the answer.
        self.ended: asyncio.Future[Terminal | None] = asyncio.get_running_loop().create_future()
        self.attendance = Attendance()
        #: Code points the reader had seen when they said stop.
        self.stopped_at: int | None = None
        #: So many are ahead of it, while it waits for its model; and how that was told, for those who come later.
        self.ahead: int | None = None
        self.place: str | None = None
        #: Told of each new place, besides the readers here.
        self.on_place: Callable[[Run], None] | None = None
        #: Its end is being committed; too late to stop.
        self.is_closing = False
        #: What the attempt began with: the text of those before it.
        self.base = text
        #: False: `base` is as of a checkpoint of the attempt, and may hold words that those before it never had.
        self.is_whole = is_whole
        self._chunks: list[str] = []
        self._followers: set[Follower] = set()
        self._last_frame: tuple[int, str] = (-1, "")

    # Writing

    def append(self, text: str) -> int:
        """One more event; returns its seq."""
        self._chunks.append(text)
        self.length += len(text)
        self.seq += 1
        self._moved()
        return self.seq

    def finish(self, terminal: Terminal) -> None:
        """The terminal event: seq `next_seq`, or later where this is another process's run and text was missed."""
        self.terminal = terminal
        self.seq = self.next_seq if terminal.seq is UNSET else terminal.seq
        self._moved()
        self.ended.set_result(terminal)

    def abandon(self) -> None:
        """Somebody else owns the answer now: followers let go and resume elsewhere."""
        if not self.ended.done():
            self.ended.set_result(None)
        self._moved()

    def tell(self, frame: str) -> None:
        """To whoever follows now; it is not kept."""
        for follower in self._followers:
            follower.post(frame)

    def wait(self, ahead: int | None) -> None:
        """So many are ahead of it; None: it waits no more."""
        key = self.key
        frame = encode(Waiting(request_id=key.request_id, room_id=key.room_id, message_id=key.message_id, ahead=ahead))
        self.ahead, self.place = ahead, None if ahead is None else frame
        self.tell(frame)
        if self.on_place is not None:
            self.on_place(self)

    def _moved(self) -> None:
        for follower in self._followers:
            follower.run_moved()

    # Reading

    @property
    def next_seq(self) -> int:
        return self.seq + 1

    @property
    def text_seq(self) -> int:
        """seq of the newest text event."""
        return self.first_seq + len(self._chunks)

    @property
    def is_over(self) -> bool:
        return self.ended.done()

    @property
    def text(self) -> str:
        return self.base + "".join(self._chunks)

    def position_view(self) -> dict[str, object]:
        """Text and position of one and the same moment, named as in the contract's M."""
        text, seq = self.text, self.text_seq
        return {
            "text": text, "seq": seq, "attempt": self.key.attempt, "length": self.length, "checksum": checksum(text)
        }

    def follow(self, follower: Follower) -> None:
        if follower not in self._followers:
            self._followers.add(follower)
            self.attendance.came()

    def unfollow(self, follower: Follower) -> None:
        if follower in self._followers:
            self._followers.remove(follower)
            self.attendance.went()

    def covers(self, attempt: int, seq: int) -> bool:
        """Whether a reader at (attempt, seq) can go on from the buffer, without a snapshot."""
        return attempt == self.key.attempt and self.first_seq <= seq <= self.seq

    def length_at(self, seq: int) -> int:
        """Code points of the text as of event `seq`, which the buffer must cover."""
        return self.base_length + sum(map(len, self._chunks[: seq - self.first_seq]))

    def chunks_after(self, seq: int) -> list[str]:
        """The text of every event after `seq`."""
        return self._chunks[seq - self.first_seq :]

    def closing_frame(self) -> str:
        """The terminal event alone, as it is sent; the run must be over."""
        assert self.terminal is not None
        return encode(self.terminal)

    def frames_after(self, seq: int) -> list[str]:
        """What a reader at `seq` lacks: nothing, one event's shared frame, or all of it merged as one chunk."""
        frames = []
        if seq < self.text_seq:
            frames.append(self._text_frame(seq, self.text_seq))
        if self.terminal is not None and seq < self.seq:
            frames += self._closing(self.terminal)
        return frames

    def _closing(self, terminal: Terminal) -> list[str]:
        if isinstance(terminal, Failure):
            return [encode(terminal)]
        done = Ack(request_id=self.key.request_id, stage="done", message_id=self.key.message_id)
        return [encode(terminal), encode(done)]

    def _text_frame(self, after: int, last: int) -> str:
        if last - after > 1:
            merged = "".join(self._chunks[after - self.first_seq :])
            return encode(self._chunk(last, merged, from_seq=after + 1))
        if self._last_frame[0] != last:
            self._last_frame = (last, encode(self._chunk(last, self._chunks[-1])))
        return self._last_frame[1]

    def _chunk(self, seq: int, text: str, from_seq: int | UnsetType = UNSET) -> Chunk:
        key = self.key
        return Chunk(
            request_id=key.request_id, room_id=key.room_id, message_id=key.message_id,
            seq=seq, attempt=key.attempt, chunk=text, from_seq=from_seq,
        )

    def opening(self) -> list[str]:
        """How the run introduces itself to those who were there before it: a start, or a rewind."""
        return [self.start_frame()] if self.key.attempt == 1 else [self.rewind_frame()]

    def start_frame(self) -> str:
        key = self.key
        return encode(Start(
            request_id=key.request_id, room_id=key.room_id, message_id=key.message_id, seq=0,
            attempt=key.attempt, reply_to=self.reply_to, position=self.position, head=self.head,
        ))

    def rewind_frame(self) -> str:
        key = self.key
        return encode(Rewind(
            request_id=key.request_id, room_id=key.room_id, message_id=key.message_id,
            seq=self.first_seq, attempt=key.attempt, length=self.base_length,
        ))

    def snapshot(self) -> tuple[str, int]:
        """(frame, seq): the whole text as of the newest text event."""
        key, seq = self.key, self.text_seq
        frame = encode(Snapshot(
            request_id=key.request_id, room_id=key.room_id, message_id=key.message_id,
            seq=seq, attempt=key.attempt, text=self.text,
        ))
        return frame, seq

