"""Connections that are neither open nor closed, too slow, half a request, too large, or from the wrong place."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streaming.events import Chunk, CommandError
from tests import faultproxy
from tests.faults.conftest import OpenSite
from tests.faults.reader import RoomReader, reading
from tests.faults.site import Site
from tests.faults.visitor import guest
from tests.provider_behaviour import words
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ANSWER = "".join(words(11, 150))
MODEL = "text-11-150+rate-300"
WINDOW = 8
#: The product's limit for a frame, and far more than any server takes.
FRAME_BYTES, ABSURD_BYTES = 65_536, 20 * 1024 * 1024
SEATS = "soksak_sockets_open"
SLOW_READER, GOING_AWAY = 4008, (4000, 1012)


@pytest.fixture
def site(standing_sites: OpenSite) -> Site:
    return with_small_window(standing_sites, patience_seconds=60)


@pytest.fixture
def impatient_site(standing_sites: OpenSite) -> Site:
    return with_small_window(standing_sites, patience_seconds=1)


def with_small_window(open_site: OpenSite, *, patience_seconds: int) -> Site:
    """Many small events, and a window that is soon full."""
    site = open_site(
        STREAM_WINDOW_EVENTS=str(WINDOW), STREAM_TICK_SECONDS="0.005",
        STREAM_SLOW_READER_SECONDS=str(patience_seconds),
    )
    site.add_model(MODEL)
    return site


async def test_a_reader_without_receipts_costs_a_window_and_is_caught_up_with_merged_chunks(
    site: Site,
) -> None:
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with (
            reading(alice, room_id, site.ws_url, acknowledges=False) as slow,
            reading(alice, room_id, site.ws_url) as other,
        ):
            await other.say("Tell me.")
            await other.until_over()
            await hears_nothing_more(slow)
            held = slow.answer
            assert held is not None
            assert not held.is_over
            assert len(slow.heard(Chunk)) <= WINDOW < other.heard(Chunk)[-1].seq
            (seen, text) = held.seq, held.text
            await slow.command(type="received", messageId=str(held.id), seq=seen)
            await slow.until_over()
            assert slow.heard(Chunk)[-1].from_seq == seen + 1
            assert slow.heard(Chunk)[-1].chunk == ANSWER.removeprefix(text)
            assert slow.text == other.text == site.rows.answers(room_id)[0].text == ANSWER


async def hears_nothing_more(slow: RoomReader) -> None:
    """A refusal takes the same way as the answer: when it is here, so is everything that was to be sent."""
    await slow.command(type="no_such_command")
    await slow.until(lambda: slow.heard(CommandError), "the refusal")


async def test_a_reader_that_stays_silent_is_let_go_and_comes_back_for_the_rest(impatient_site: Site) -> None:
    site = impatient_site
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with reading(alice, room_id, site.ws_url, acknowledges=False) as slow:
            await slow.say("Tell me.")
            await slow.until(lambda: SLOW_READER in slow.closes, "the socket's end")
            slow.acknowledges = True
            await slow.until_over()
            assert slow.text == site.rows.answers(room_id)[0].text == ANSWER


async def test_a_line_that_is_dead_but_open_is_let_go_and_its_reader_finds_everything_on_a_new_one(
    impatient_site: Site,
) -> None:
    site = impatient_site
    with faultproxy.running(site.server.port) as wire:
        async with guest(site.url) as alice:
            room_id = await alice.open_room()
            async with reading(alice, room_id, f"ws://127.0.0.1:{wire.port}") as reader:
                await reader.say("Tell me.")
                await reader.until_seen(20)
                wire.stall()
                await asyncio.to_thread(wait_until, lambda: site.metric(SEATS) == 0, "the seat to be free")
                wire.refuse()
                reader.ws_url = site.ws_url
                wire.reset()
                await reader.until_over()
            assert reader.text == site.rows.answers(room_id)[0].text == ANSWER


async def test_a_thin_and_distant_line_brings_every_character(site: Site) -> None:
    with faultproxy.running(site.server.port) as wire:
        async with guest(site.url) as alice:
            room_id = await alice.open_room()
            async with reading(alice, room_id, f"ws://127.0.0.1:{wire.port}") as reader:
                wire.delay(0.02)
                wire.throttle(40_000)
                await reader.say("Tell me.")
                await reader.until_over()
                assert not reader.closes
            assert reader.text == site.rows.answers(room_id)[0].text == ANSWER


async def test_half_a_request_holds_up_neither_the_others_nor_the_end(open_site: OpenSite) -> None:
    site = with_small_window(open_site, patience_seconds=60)
    head = f"POST /chat/messages HTTP/1.1\r\nHost: 127.0.0.1:{site.server.port}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.server.port)) as half:
        half.sendall(head.encode() + b'{"text": "I am')
        async with (
            guest(site.url) as alice,
            reading(alice, await alice.open_room(), site.ws_url) as reader,
        ):
            await reader.say("Tell me.")
            await reader.until_over()
            assert reader.text == ANSWER
            await asyncio.to_thread(site.server.terminate)
            await reader.until(lambda: reader.closes, "the socket's end")
            assert reader.closes[0] in GOING_AWAY


async def test_only_the_sites_own_pages_may_open_a_socket(site: Site) -> None:
    async with guest(site.url) as alice:
        url = f"{site.ws_url}/ws/rooms/{await alice.open_room()}/"
        for origin in ("http://evil.example", None):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, additional_headers={"Cookie": alice.cookie}, origin=origin, proxy=None)  # type: ignore[arg-type]
            assert refused.value.response.status_code == 403


async def test_an_oversized_frame_is_refused_and_an_absurd_one_ends_its_own_socket_only(site: Site) -> None:
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with reading(alice, room_id, site.ws_url) as large, reading(alice, room_id, site.ws_url) as other:
            await large.command(type="send_message", requestId="large-request", text="x" * FRAME_BYTES)
            await large.until(lambda: codes(large) == ["frame_too_large"], "the refusal")
            assert not large.closes
            # The server hangs up before it has read it all.
            with suppress(ConnectionClosed):
                await large.command(type="send_message", requestId="absurd-request", text="x" * ABSURD_BYTES)
            await large.until(lambda: large.closes, "the socket's end")
            assert not other.closes
            await other.say("Tell me.")
            assert (await other.until_over()).text == ANSWER
            assert site.rows.said(room_id) == ["Tell me."]


def codes(reader: RoomReader) -> list[str]:
    return [refusal.code for refusal in reader.heard(CommandError)]


async def test_an_oversized_body_is_refused(site: Site) -> None:
    async with guest(site.url) as alice:
        body: dict[str, Any] = {"text": "x" * FRAME_BYTES}
        refused: httpx.Response = await alice.complete(body)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "frame_too_large"
