"""The law over server-sent events: wherever a stream breaks off, `Last-Event-ID` leads to the whole text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.engine import Engine
from streaming.events import Event, decode
from streaming.run import RunKey
from streaming.sse import answer_stream, parse_last_event_id
from streaming.transcript import Transcript
from tests.contract.stories import TEXTS
from tests.contract.tab import USER_ID, quiet
from tests.contract.world import World

law = settings(settings.get_profile("contract"))

#: How many texts are written before a reader comes, and how many frames it reads before its stream breaks off.
VISIT = st.tuples(st.lists(TEXTS, max_size=4), st.integers(1, 5))
POSITIONS = st.none() | st.tuples(st.integers(0, 12), st.integers(0, 3))


class Listener:
    """A client of the streams: remembers the last `id:` and applies what comes."""

    def __init__(self, world: World) -> None:
        self.transcript = Transcript(world.page())
        self.last_id = ""
        self._world = world
        self._engine = cast(Engine, SimpleNamespace(running=world))

    async def listen(self, number: int | None, *, last_id: str | None = None) -> None:
        """Reads `number` frames, all with None."""
        position = parse_last_event_id(self.last_id if last_id is None else last_id)
        stream = answer_stream(self._engine, USER_ID, self._key(), position)
        async with aclosing(cast(AsyncGenerator[bytes], stream)) as parts:
            async for part in first(parts, number):
                self._take(part.decode())

    def _key(self) -> RunKey:
        answer = self._world.answer
        assert answer.request_id is not None
        return RunKey(answer.request_id, self._world.room_id, answer.id, answer.attempt)

    def _take(self, frame: str) -> None:
        fields = dict(line.split(": ", 1) for line in frame.strip().split("\n"))
        event = decode(fields["data"])
        assert fields["event"] == event.__struct_config__.tag
        self.last_id = fields.get("id", self.last_id)
        assert not asked_again(self.transcript, event)


def asked_again(transcript: Transcript, event: Event) -> bool:
    return any(change.kind in ("gap", "mismatch", "stale") for change in transcript.apply(event))


async def first(parts: AsyncIterator[bytes], number: int | None) -> AsyncIterator[bytes]:
    """The first `number` of `parts`; nothing is waited for beyond them."""
    left = number
    async for part in parts:
        yield part
        left = None if left is None else left - 1
        if left == 0:
            return


def tell(visits: list[tuple[list[str], int]], take_over: int) -> None:
    """Several visits to one answer, a new owner before visit `take_over`; each goes on where the last one broke off."""

    async def perform() -> None:
        world = World(window=64)
        world.say("hi")
        listener = Listener(world)
        for index, (texts, number) in enumerate(visits):
            if index == take_over:
                world.take_over(cutting=False, in_vain=0)
            for text in texts:
                world.append(text)
                world.checkpoint()
            await listener_visit(listener, number)
        world.append("끝")
        world.finish()
        await listener.listen(None)
        assert listener.transcript.messages[-1].text == world.answer.content
        assert listener.transcript.messages[-1].status == "complete"

    asyncio.run(perform())


async def listener_visit(listener: Listener, number: int) -> None:
    """Reads at most `number` frames of what is there now; a live answer has no more for the moment."""
    task = asyncio.ensure_future(listener.listen(number))
    await quiet()
    await quiet()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled():
        task.result()


@law
@given(visits=st.lists(VISIT, max_size=6), take_over=st.integers(0, 6))
def test_a_stream_that_breaks_off_goes_on_where_it_was(visits: list[tuple[list[str], int]], take_over: int) -> None:
    tell(visits, take_over)


@law
@given(texts=st.lists(TEXTS, max_size=6), claimed=POSITIONS, is_bare=st.booleans())
def test_any_last_event_id_leads_to_the_whole_text(
    texts: list[str], claimed: tuple[int, int] | None, is_bare: bool
) -> None:
    async def perform() -> None:
        world = World(window=64)
        world.say("hi")
        for text in texts:
            world.append(text)
        listener = Listener(world)
        task = asyncio.ensure_future(listener.listen(None, last_id=header(claimed, is_bare=is_bare)))
        await quiet()
        world.append("끝")
        await quiet()
        world.finish()
        await task
        assert listener.transcript.messages[-1].text == world.answer.content

    asyncio.run(perform())


def header(position: tuple[int, int] | None, *, is_bare: bool) -> str:
    if position is None:
        return ""
    seq, attempt = position
    return str(seq) if is_bare else f"{seq}-{attempt}"


@pytest.mark.parametrize("value", ["", "x", "-1", "1-x", "1-2-3", "9" * 10, "1-" + "9" * 10, "1.5", "1 2"])
def test_a_header_that_is_no_position_is_as_good_as_none(value: str) -> None:
    assert parse_last_event_id(value) is None
