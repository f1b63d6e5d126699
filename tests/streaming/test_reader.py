"""Who writes to a socket: at once where it takes what is due, and where it does not, in order and by one alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from streaming.reader import SocketReader
from tests.streaming.test_run import make_run
from tests.waiting import settled


class Wire:
    """A socket that takes frames several at a time, or lets each wait until there is room."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.writes: list[list[str]] = []
        self.sent: list[str] = []
        self.is_full = is_full
        self.room = asyncio.Semaphore(0)
        self.waiting = 0
        self.is_closed = False
        self.reader = SocketReader(self._send, window=10, write=self._write)
        self.reader.start()

    def _write(self, frames: Sequence[str]) -> bool:
        if not self.is_full:
            self.writes.append(list(frames))
        return not self.is_full

    async def _send(self, frame: str) -> None:
        assert not self.waiting, "one writes at a time"
        self.waiting += 1
        try:
            await self.room.acquire()
        finally:
            self.waiting -= 1
        self.sent.append(frame)

    async def close(self) -> None:
        await self.room.acquire()
        self.is_closed = True


async def test_what_is_due_at_the_same_time_is_one_write() -> None:
    wire, run = Wire(), make_run()
    wire.reader.post("one")
    wire.reader.post("two")
    wire.reader.attach(run, after=0, opening=["start"])
    run.append("a")
    await settled()
    assert wire.writes == [["one", "two", "start", *run.frames_after(0)]]
    run.append("b")
    await settled()
    assert wire.writes[1:] == [run.frames_after(1)]
    assert not wire.sent


async def test_what_comes_while_a_socket_is_full_follows_in_order_and_text_is_merged() -> None:
    wire, run = Wire(is_full=True), make_run()
    wire.reader.attach(run, after=0, opening=["start"])
    await settled()
    assert wire.waiting
    for text in "abc":
        run.append(text)
    wire.reader.post("posted")
    await settled()
    for _ in range(3):
        wire.room.release()
    await settled()
    assert wire.sent == ["start", "posted", *run.frames_after(0)]
    wire.is_full = False
    run.append("d")
    await settled()
    assert wire.writes == [run.frames_after(3)]


async def test_who_has_no_credit_is_written_nothing_and_counts_as_silent() -> None:
    wire, run = Wire(), make_run()
    wire.reader.attach(run, after=0, opening=["start"])
    for text in "abcdefghijk":
        run.append(text)
    await settled()
    wrote_at = wire.reader.last_sent
    run.append("l")
    await settled()
    assert len(wire.writes) == 1
    assert wire.reader.last_sent == wrote_at
    wire.reader.received(run.key.message_id, 11)
    await settled()
    assert wire.writes[1:] == [run.frames_after(11)]


async def test_who_stops_while_a_socket_is_full_writes_nothing_more() -> None:
    wire = Wire(is_full=True)
    wire.reader.post("one")
    await settled()
    wire.reader.stop()
    wire.reader.post("two")
    wire.room.release()
    await settled()
    assert not wire.sent
    assert not wire.waiting


@pytest.mark.parametrize("is_full", [False, True])
async def test_a_socket_is_closed_after_what_was_posted_and_then_nothing_is_written(is_full: bool) -> None:
    wire = Wire(is_full=is_full)
    wire.reader.post("last words")
    wire.reader.close_after(wire.close)
    await settled()
    assert not wire.is_closed
    for _ in range(1 + is_full):
        wire.room.release()
    await settled()
    assert wire.is_closed
    wire.reader.post("too late")
    await settled()
    assert (wire.sent or wire.writes[0], len(wire.writes)) == (["last words"], 1 - is_full)


async def test_nothing_is_written_before_the_start() -> None:
    wire = Wire()
    wire.reader.stop()
    late = SocketReader(wire._send, window=10, write=wire._write)
    late.post("one")
    await settled()
    assert not wire.writes
    late.start()
    await settled()
    assert wire.writes == [["one"]]
