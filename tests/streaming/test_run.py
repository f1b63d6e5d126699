"""The run's buffer: seqs, shared frames, merged chunks, rewinds and snapshots. No database, no sockets."""

from __future__ import annotations

from uuid import uuid4

import msgspec
import pytest

from streaming.commands import Known
from streaming.events import Ack, Chunk, End, Latency, Rewind, Snapshot, Start, Usage, checksum, decode
from streaming.reader import SocketReader
from streaming.resume import join
from streaming.run import Run, RunKey


def make_run(attempt: int = 1, text: str = "", first_seq: int = 0) -> Run:
    key = RunKey("request-1", uuid4(), uuid4(), attempt)
    return Run(key, reply_to=None, position=2, head=1, text=text, first_seq=first_seq)


def end_for(run: Run) -> End:
    text = run.text
    return End(
        request_id="request-1", room_id=run.key.room_id, message_id=run.key.message_id, seq=run.next_seq,
        attempt=run.key.attempt, content=text, usage=Usage(), latency=Latency(first_ms=1.0, total_ms=2.0),
        length=len(text), checksum=checksum(text), finish_reason="stop",
    )


class Sent:
    """A socket's far end: what was written, and a way to wait for it."""

    def __init__(self, window: int = 1000) -> None:
        self.frames: list[str] = []
        self.reader = SocketReader(self._take, window=window)

    async def _take(self, frame: str) -> None:
        self.frames.append(frame)

    async def events(self) -> list[object]:
        """Everything that is due now, written by the reader's own writer."""
        await self.reader.flush()
        taken, self.frames = self.frames, []
        return [decode(frame) for frame in taken]


def known(run: Run, *, attempt: int, seq: int, length: int) -> Known:
    return Known(message_id=run.key.message_id, attempt=attempt, seq=seq, length=length)


async def test_each_append_takes_the_next_seq() -> None:
    run = make_run()
    assert [run.append(text) for text in ("a", "b", "안녕")] == [1, 2, 3]
    assert (run.text, run.length, run.next_seq) == ("ab안녕", 4, 4)


async def test_one_event_is_one_shared_frame() -> None:
    run = make_run()
    run.append("a")
    first, second = run.frames_after(0), run.frames_after(0)
    assert first[0] is second[0]
    chunk = decode(first[0])
    assert isinstance(chunk, Chunk)
    assert (chunk.seq, chunk.chunk, chunk.from_seq) == (1, "a", msgspec.UNSET)


async def test_several_missed_events_come_merged_as_one_chunk() -> None:
    run = make_run()
    for text in "abc":
        run.append(text)
    chunk = decode(run.frames_after(1)[0])
    assert isinstance(chunk, Chunk)
    assert (chunk.from_seq, chunk.seq, chunk.chunk) == (2, 3, "bc")


async def test_the_end_follows_the_text_and_nothing_follows_the_end() -> None:
    run = make_run()
    run.append("a")
    run.finish(end_for(run))
    assert [decode(frame).__class__ for frame in run.frames_after(0)] == [Chunk, End, Ack]
    assert [decode(frame).__class__ for frame in run.frames_after(1)] == [End, Ack]
    assert run.frames_after(2) == []
    assert run.is_over
    assert run.terminal is run.ended.result()


async def test_a_takeover_presents_itself_as_a_rewind_and_goes_on_after_it() -> None:
    run = make_run(attempt=2, text="Once ", first_seq=5)
    rewind = decode(run.opening()[0])
    assert isinstance(rewind, Rewind)
    assert (rewind.seq, rewind.length, rewind.attempt) == (5, 5, 2)
    run.append("upon")
    chunk = decode(run.frames_after(5)[0])
    assert isinstance(chunk, Chunk)
    assert (chunk.seq, chunk.chunk) == (6, "upon")
    assert run.text == "Once upon"


async def test_a_reader_that_knows_nothing_gets_start_and_snapshot() -> None:
    run, sent = make_run(), Sent()
    run.append("Hello")
    join(sent.reader, run, None)
    start, snapshot = await sent.events()
    assert isinstance(start, Start)
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.seq, snapshot.text) == (1, "Hello")
    run.append("!")
    (chunk,) = await sent.events()
    assert isinstance(chunk, Chunk)
    assert chunk.seq == 2


async def test_a_reader_in_the_middle_gets_only_what_it_lacks() -> None:
    run, sent = make_run(), Sent()
    for text in ("He", "ll", "o"):
        run.append(text)
    join(sent.reader, run, known(run, attempt=1, seq=1, length=2))
    (chunk,) = await sent.events()
    assert isinstance(chunk, Chunk)
    assert (chunk.from_seq, chunk.seq, chunk.chunk) == (2, 3, "llo")


@pytest.mark.parametrize(
    ("attempt", "seq", "length"), [(1, 99, 5), (7, 1, 2), (1, 1, 3), (1, -1, 0)],
    ids=["from the future", "a foreign attempt", "a wrong length", "before the start"],
)
async def test_a_position_that_cannot_be_true_gets_a_snapshot(attempt: int, seq: int, length: int) -> None:
    run, sent = make_run(), Sent()
    for text in ("He", "ll", "o"):
        run.append(text)
    join(sent.reader, run, known(run, attempt=attempt, seq=seq, length=length))
    (snapshot,) = await sent.events()
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.seq, snapshot.text) == (3, "Hello")


async def test_an_older_attempt_with_enough_text_is_rewound() -> None:
    run, sent = make_run(attempt=2, text="Once ", first_seq=5), Sent()
    run.append("upon")
    join(sent.reader, run, known(run, attempt=1, seq=9, length=14))
    rewind, chunk = await sent.events()
    assert isinstance(rewind, Rewind)
    assert rewind.length == 5
    assert isinstance(chunk, Chunk)
    assert (chunk.seq, chunk.chunk) == (6, "upon")


async def test_an_older_attempt_with_too_little_text_gets_a_snapshot() -> None:
    run, sent = make_run(attempt=2, text="Once ", first_seq=5), Sent()
    join(sent.reader, run, known(run, attempt=1, seq=2, length=2))
    (snapshot,) = await sent.events()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.text == "Once "


async def test_a_reader_without_credit_gets_nothing_more_until_it_acknowledges() -> None:
    run, sent = make_run(), Sent(window=2)
    sent.reader.attach(run, after=0, opening=[])
    for text in "abcdef":
        run.append(text)
        await sent.events()
    assert sent.reader.blocked_seconds(float("inf")) > 0
    run.append("g")
    assert await sent.events() == []
    sent.reader.received(run.key.message_id, 2)
    (merged,) = await sent.events()
    assert isinstance(merged, Chunk)
    assert (merged.from_seq, merged.seq, merged.chunk) == (3, 7, "cdefg")
    assert sent.reader.blocked_seconds(float("inf")) == 0


async def test_acknowledging_what_was_never_sent_gives_no_credit() -> None:
    run, sent = make_run(), Sent(window=2)
    sent.reader.attach(run, after=0, opening=[])
    for text in "abc":
        run.append(text)
        await sent.events()
    sent.reader.received(run.key.message_id, 1000)
    run.append("d")
    assert await sent.events() == []


async def test_an_abandoned_run_lets_its_readers_go() -> None:
    run, sent = make_run(), Sent()
    sent.reader.attach(run, after=0, opening=[])
    run.abandon()
    assert await sent.events() == []
    assert run.ended.result() is None
    run.append("late")
    assert await sent.events() == []
