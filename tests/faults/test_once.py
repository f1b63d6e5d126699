"""However often and by whichever door it is asked: one message, one call to a model, one answer. Or none at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.events import CommandError
from tests.faults.conftest import OpenSite
from tests.faults.reader import reading
from tests.faults.visitor import Visitor, guest, say
from tests.provider_behaviour import words

pytestmark = pytest.mark.slow

MODEL, ANSWER = "text-13-60+rate-150+first-300", "".join(words(13, 60))


async def test_the_same_turn_by_every_door_at_once_is_one_turn(open_site: OpenSite) -> None:
    site = open_site()
    model = site.add_model(MODEL)
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with reading(alice, room_id, site.ws_url) as one, reading(alice, room_id, site.ws_url) as two:
            turn = say(room_id, "Tell me.")
            frame = {"type": "send_message", **{name: turn[name] for name in ("requestId", "text")}}
            streamed, completed, again, *_ = await asyncio.gather(
                alice.stream(turn), alice.complete(turn), alice.complete(turn), one.command(**frame),
                one.command(**frame), two.command(**frame),
            )
            await one.until_over()
            await two.until_over()
            texts = {one.text, two.text, *(answer.json()["result"]["content"] for answer in (completed, again))}
            assert texts == {*contents(streamed)} == {ANSWER}
            assert site.asked(model) == 1
            (stored,) = site.rows.answers(room_id)
            assert stored.text == ANSWER
            assert site.rows.said(room_id) == ["Tell me."]


def contents(events: list[dict[str, Any]]) -> list[str]:
    return [event["content"] for event in events if event["type"] == "ai_message_end"]


@pytest.mark.parametrize("stack", [("daphne", "sqlite"), ("uvicorn", "sqlite")], indirect=True)
async def test_a_turn_that_cannot_be_written_down_is_not_asked_of_a_model(open_site: OpenSite) -> None:
    site = open_site(SQLITE_TIMEOUT_SECONDS="0.3")
    model = site.add_model(MODEL)
    async with guest(site.url) as alice:
        room_id = await alice.open_room()
        async with reading(alice, room_id, site.ws_url) as reader:
            turn = say(room_id, "Tell me.")
            with site.rows.write_locked():
                await reader.command(type="send_message", requestId="written-later", text="Tell me.")
                await reader.until(lambda: reader.heard(CommandError), "the refusal")
                assert await refusal(alice, turn) == (503, "database_unavailable")
            assert reader.heard(CommandError)[0].code == "database_unavailable"
            assert site.asked(model) == 0
            assert site.rows.said(room_id) == []
            await reader.command(type="send_message", requestId="written-later", text="Tell me.")
            assert (await reader.until_over()).text == ANSWER
            assert site.asked(model) == 1


async def refusal(visitor: Visitor, turn: dict[str, Any]) -> tuple[int, str]:
    response = await visitor.complete(turn)
    return response.status_code, response.json()["error"]["code"]
