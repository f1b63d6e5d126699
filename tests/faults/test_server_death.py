"""The server dies, or is told to end, while it writes: reader and database end with the whole answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest

from streaming.events import Drain
from tests.faultproxy import FaultProxy
from tests.faults.conftest import OpenSite
from tests.faults.reader import RoomReader, reading
from tests.faults.site import Site
from tests.faults.visitor import guest, say
from tests.provider_behaviour import words
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ANSWER = "".join(words(7, 120))
#: Some thirty words of the answer, as the model sends them.
MIDWAY_BYTES = 6_000
SOME_CHARS = 60


@pytest.fixture
def site(open_site: OpenSite, line: FaultProxy) -> Site:
    """Every answer stands still midway until the line to the model flows."""
    site = open_site()
    line.hold_after(MIDWAY_BYTES)
    site.add_model("text-7-120+rate-200", base_url=f"{line.url}/v1")
    return site


def told_whole(site: Site, reader: RoomReader) -> None:
    """One complete, unbroken text: what the model said, what the reader has, what is stored."""
    (stored,) = site.rows.answers(reader.room_id)
    assert reader.text == stored.text == ANSWER
    assert stored.status == "complete"
    assert not [change for change in reader.changes if change.kind == "mismatch"]


async def test_a_reader_of_a_killed_server_gets_the_rest_from_the_next_one(site: Site, line: FaultProxy) -> None:
    async with guest(site.url) as alice, reading(alice, await alice.open_room(), site.ws_url) as reader:
        await reader.say("Tell me.")
        await reader.until_seen(SOME_CHARS)
        await asyncio.to_thread(site.server.kill9)
        seen = reader.text
        line.flow()
        await asyncio.to_thread(site.server.restart)
        await reader.until_over()
        told_whole(site, reader)
        assert ANSWER.startswith(seen)
        assert seen != ANSWER, "it was to be killed midway"
        assert site.rows.answers(reader.room_id)[0].attempt == 2
        assert site.rows.said(reader.room_id) == ["Tell me."]


async def test_an_answer_whose_reader_never_comes_back_is_finished_after_the_restart(
    site: Site, line: FaultProxy
) -> None:
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with reading(alice, room_id, site.ws_url) as reader:
            await reader.say("Tell me.")
            await reader.until_seen(SOME_CHARS)
        await asyncio.to_thread(site.server.kill9)
    line.flow()
    await asyncio.to_thread(site.server.restart)
    await asyncio.to_thread(wait_until, lambda: answer_of(site, room_id) == (ANSWER, "complete"), "the answer's end")


def answer_of(site: Site, room_id: UUID) -> tuple[str, str]:
    (stored,) = site.rows.answers(room_id)
    return stored.text, stored.status


async def test_a_server_killed_again_and_again_ends_with_one_whole_answer(site: Site, line: FaultProxy) -> None:
    async with guest(site.url) as alice, reading(alice, await alice.open_room(), site.ws_url) as reader:
        await reader.say("Tell me.")
        for life in (1, 2):
            await reader.until_seen(life * SOME_CHARS)
            await asyncio.to_thread(site.server.kill9)
            await asyncio.to_thread(site.server.restart)
        line.flow()
        await reader.until_over()
        told_whole(site, reader)


async def test_a_waiting_request_is_answered_by_the_next_server(site: Site, line: FaultProxy) -> None:
    """The completed response has no position: the same requestId asked again joins the same answer."""
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        command = say(room_id, "Tell me.")
        waiting = asyncio.create_task(alice.complete(command))
        await asyncio.to_thread(wait_until, lambda: site.rows.answers(room_id), "the turn to be accepted")
        await asyncio.to_thread(site.server.kill9)
        with pytest.raises(httpx.TransportError):
            await waiting
        line.flow()
        await asyncio.to_thread(site.server.restart)
        again = (await alice.complete(command)).json()
    (stored,) = site.rows.answers(room_id)
    assert again["result"]["content"] == stored.text == ANSWER


async def test_a_server_told_to_end_says_goodbye_and_the_next_one_goes_on(site: Site, line: FaultProxy) -> None:
    async with guest(site.url) as alice, reading(alice, await alice.open_room(), site.ws_url) as reader:
        await reader.say("Tell me.")
        await reader.until_seen(SOME_CHARS)
        await asyncio.to_thread(site.server.terminate)
        await reader.until(lambda: reader.closes, "the socket's end")
        # Uvicorn closes every socket itself before it lets an application say anything.
        assert (bool(reader.heard(Drain)), reader.closes[0]) in ((True, 4000), (False, 1012))
        line.flow()
        await asyncio.to_thread(site.server.restart)
        await reader.until_over()
        told_whole(site, reader)
