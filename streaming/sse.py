"""The same answer as server-sent events: one cursor over the run, `id:` = seq-attempt.

Reads the buffer that sockets read. HTTP has no credit window: one answer's length bounds what can be queued.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

from django.conf import settings

from chat.messages import Accepted
from streaming.commands import Known
from streaming.endings import rewound
from streaming.engine import Engine
from streaming.events import Ack, End, Event, Heartbeat, decode, encode
from streaming.reader import SocketReader
from streaming.resume import join
from streaming.run import Run, RunKey, Terminal
from streaming.service import user_message
from streaming.turns import Turn

#: How the last frame of an answer begins: the ack that follows its end, or its error.
LAST_FRAMES = ('{"type":"ack"', '{"type":"ai_message_error"')
#: Not a frame: somebody else took the answer, and no end will come from here.
LET_GO = ""


def parse_last_event_id(value: str) -> tuple[int, int] | None:
    """"<seq>-<attempt>" or "<seq>" → (seq, attempt); attempt 1 when unsaid. None: nothing usable was sent."""
    seq, _, attempt = value.strip().partition("-")
    if not seq.isdecimal() or len(seq) > 9 or (attempt and not (attempt.isdecimal() and len(attempt) <= 9)):
        return None
    return int(seq), int(attempt or 1)


def turn_stream(engine: Engine, turn: Turn) -> AsyncIterator[bytes]:
    """Everything of one turn, from its acceptance to its end."""
    # Looked up now, not when the stream is first read: a quick answer may be over by then.
    run = engine.running.get(turn.accepted.message_id)
    if run is not None:
        run.attendance.reserve()
    return _turn(engine, turn, run)


async def _turn(engine: Engine, turn: Turn, run: Run | None) -> AsyncIterator[bytes]:
    try:
        async for part in _told(engine, turn.accepted, run):
            yield part
    finally:
        if run is not None:
            run.attendance.went()


async def _told(engine: Engine, accepted: Accepted, run: Run | None) -> AsyncIterator[bytes]:
    if accepted.user_message_id is not None:
        yield frame(encode(user_message(accepted)))
    yield frame(encode(Ack(request_id=accepted.request_id, stage="accepted", message_id=accepted.message_id)))
    key = RunKey(accepted.request_id, accepted.room_id, accepted.message_id, accepted.attempt)
    async for part in _answer(engine, run, accepted.user_id, key, None):
        yield part


def answer_stream(
    engine: Engine, user_id: int, key: RunKey, position: tuple[int, int] | None
) -> AsyncIterator[bytes]:
    """One answer from `position` (seq, attempt): replay or snapshot, then live, to its end."""
    return _answer(engine, engine.running.get(key.message_id), user_id, key, position)


async def _answer(
    engine: Engine, run: Run | None, user_id: int, key: RunKey, position: tuple[int, int] | None
) -> AsyncIterator[bytes]:
    """From owner to owner, to the end."""
    found: Run | Terminal | None = run or await engine.running.find(user_id, key.message_id)
    known = _known(found, position) if isinstance(found, Run) else None
    while isinstance(found, Run):
        async for part in _follow(found, known):
            yield part
        if found.terminal is not None:
            return
        # What it was sent of the one that was let go is not known exactly: a snapshot leaves no doubt.
        known, found = None, await engine.running.find(user_id, key.message_id)
    # The headers are out: what happened can only be said as an event.
    for part in _ending(found or rewound(key)):
        yield part


def _known(run: Run, position: tuple[int, int] | None) -> Known | None:
    """The length is not told over SSE: what the buffer has at that seq is taken for it."""
    if position is None:
        return None
    seq, attempt = position
    length = run.length_at(seq) if run.covers(attempt, seq) else run.base_length
    return Known(message_id=run.key.message_id, attempt=attempt, seq=seq, length=length)


async def _follow(run: Run, known: Known | None) -> AsyncIterator[bytes]:
    frames: asyncio.Queue[str] = asyncio.Queue()
    # An unlimited window: a queue instead of credit, see above.
    reader = SocketReader(frames.put, window=1 << 30)
    join(reader, run, known)
    reader.start()
    over = partial(_told_over, frames)
    run.ended.add_done_callback(over)
    try:
        while True:
            try:
                text = await asyncio.wait_for(frames.get(), settings.STREAM_HEARTBEAT_SECONDS)
            except TimeoutError:
                yield frame(encode(Heartbeat(head=run.head)))
                continue
            if text == LET_GO:
                return
            yield frame(text)
            if text.startswith(LAST_FRAMES):
                return
    finally:
        run.ended.remove_done_callback(over)
        reader.stop()


def _told_over(frames: asyncio.Queue[str], ended: asyncio.Future[Terminal | None]) -> None:
    if ended.result() is None:
        frames.put_nowait(LET_GO)


def _ending(ending: Terminal) -> Iterator[bytes]:
    yield frame(encode(ending))
    if isinstance(ending, End):
        yield frame(encode(Ack(request_id=ending.request_id, stage="done", message_id=ending.message_id)))


def frame(text: str) -> bytes:
    """One event frame; generation events carry their position as id."""
    event: Event = decode(text)
    seq, attempt = getattr(event, "seq", None), getattr(event, "attempt", None)
    position = f"id: {seq}-{attempt}\n" if isinstance(seq, int) and isinstance(attempt, int) else ""
    return f"{position}event: {event.__struct_config__.tag}\ndata: {text}\n\n".encode()
