"""What no browser of ours sends: refused with a code, never a closed socket, never a broken page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, AsyncRequestFactory

from chat.api import body_of
from chat.errors import BadCommand
from chat.models import Message, ModelRoute, Trace
from streaming.closes import FLOOD
from streaming.commands import SendMessage
from streaming.consumer import FLOOD_REFUSALS
from streaming.engine import Engine
from streaming.events import CommandError, End, UserMessage
from streaming.identity import identity_of
from streaming.service import take_turn
from tests.people import make_room, make_route, make_user, request_id, sign_in
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = "Once upon a time there was a lamp."
DEEP = "[" * 30_000 + "]" * 30_000


class Scene:
    def __init__(self) -> None:
        self.alice = make_user("alice")
        self.room = make_room(self.alice)
        self.session = sign_in(self.alice)
        make_route(options={"text": STORY})


@pytest.fixture
async def scene(engine: Engine, transactional_db: None) -> Scene:
    return await sync_to_async(Scene)()


@pytest.fixture
async def tab(scene: Scene) -> AsyncIterator[Tab]:
    tab = Tab(scene.room.pk, scene.session)
    await tab.open()
    yield tab
    await tab.close()


@pytest.fixture
async def client(scene: Scene) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(scene.alice)
    return client


async def refused(tab: Tab, frame: str) -> CommandError:
    await tab.socket.send_to(text_data=frame)
    return await tab.refusal()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(f'{{"type":"typing","deep":{DEEP}}}', "invalid_fields", id="nested deep"),
        pytest.param('{"type":"send_message","requestId":"abcdefgh\\n","text":"hi"}', "invalid_fields", id="line end"),
        pytest.param(json.dumps({"type": "timing", "requestId": "abcdefgh", "marks": {"a\x00": 1}}), "invalid_fields",
                     id="a mark's name that no database keeps"),
        pytest.param(json.dumps({"type": "timing", "requestId": "abcdefgh", "marks": dict.fromkeys(
            (f"mark{n}" for n in range(65)), 1)}), "invalid_fields", id="more marks than a page has"),
        pytest.param('{"type":"timing","requestId":"abcdefgh","marks":{"a":1e999}}', "invalid_fields", id="infinity"),
        pytest.param('{"type":"timing","requestId":"abcdefgh","marks":{"a":NaN}}', "bad_json", id="not a number"),
        pytest.param('{"type":"send_message","requestId":"abcdefgh","text":"\\ud800"}', "bad_json", id="half a letter"),
    ],
)
async def test_a_rough_frame_is_refused_and_the_socket_lives_on(tab: Tab, frame: str, code: str) -> None:
    assert (await refused(tab, frame)).code == code
    await tab.send()
    assert (await tab.answer()).content == STORY


async def test_marks_of_one_request_are_bounded_however_often_they_come(engine: Engine, tab: Tab) -> None:
    rid = await tab.send()
    await tab.answer()
    for part in range(4):
        await tab.say("timing", requestId=rid, marks={"end": 1e5, **{f"mark-{part}-{n}": n for n in range(30)}})
    assert (await refused(tab, "{}")).code == "invalid_fields"
    await engine.runner.settled()
    assert (await Trace.objects.aget(request_id=rid)).client_marks == {"end": 1e5}


async def test_a_fault_of_ours_is_told_and_the_socket_lives_on(tab: Tab) -> None:
    with patch("streaming.turns.begin", side_effect=RuntimeError("odd")):
        rid = await tab.send()
        refusal = await tab.refusal()
    assert (refusal.code, refusal.request_id) == ("internal_error", rid)
    await tab.send(rid=rid)
    assert (await tab.answer()).content == STORY


async def test_who_goes_on_after_many_refusals_is_sent_away(tab: Tab) -> None:
    for _ in range(FLOOD_REFUSALS + 1):
        await tab.socket.send_to(text_data="{")
    assert await tab.closed_with() == FLOOD


async def test_a_repeat_of_what_was_rewound_away_brings_nothing_back(scene: Scene, tab: Tab) -> None:
    rid = await tab.send("first")
    end = await tab.answer()
    greeting = await Message.objects.aget(room=scene.room, position=0, selected=True)
    await tab.say("rewind", messageId=greeting.pk)
    tab.events.clear()
    await tab.send("first", rid)
    refusal = await tab.refusal()
    assert (refusal.code, refusal.request_id) == ("message_not_found", rid)
    assert not tab.of(UserMessage) + tab.of(End)
    assert end.request_id == rid


async def post(client: AsyncClient, path: str, body: str | bytes) -> Any:
    return await client.post(path, body, content_type="application/json")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        pytest.param("/chat/rooms", '{"characterId":"a\\u0000"}', "invalid_fields", id="a slug with NUL"),
        pytest.param("/chat/rooms", f'{{"characterId":"mina","deep":{DEEP}}}', "invalid_fields", id="nested deep"),
        pytest.param("/chat/messages", f'{{"deep":{DEEP}}}', "bad_json", id="a turn nested without end"),
        pytest.param("/accounts/persona/", b'{"name":"\xff"}', "bad_json", id="a persona that is not UTF-8"),
        pytest.param("/accounts/persona/", '{"name":"\\u0000"}', "text_empty", id="a persona of NUL"),
        pytest.param("/accounts/persona/", '{"name":"\\u200b"}', "text_empty", id="a persona that nobody sees"),
    ],
)
async def test_a_rough_body_is_refused(scene: Scene, client: AsyncClient, path: str, body: str, code: str) -> None:
    response = await post(client, path, body)
    assert response.json()["error"]["code"] == code
    assert response.status_code in (400, 404)


async def test_what_no_database_keeps_is_taken_out_of_a_persona(scene: Scene, client: AsyncClient) -> None:
    response = await post(client, "/accounts/persona/", '{"name":"Mi\\u0000na","about":"a\\u0000b"}')
    assert response.json() == {"name": "Mina", "about": "ab"}


def test_a_body_without_a_told_length_is_bounded_too(settings: Any) -> None:
    request = AsyncRequestFactory().post("/", "a" * (settings.CHAT_FRAME_MAX_BYTES + 1), content_type="text/plain")
    del request.META["CONTENT_LENGTH"]
    with pytest.raises(BadCommand) as refusal:
        body_of(request)
    assert refusal.value.code == "frame_too_large"


async def test_a_fault_of_ours_is_told_as_json(scene: Scene, client: AsyncClient) -> None:
    with patch("chat.views.rooms.list_rooms", side_effect=RuntimeError("odd")):
        response = await client.get("/chat/rooms")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")


async def test_a_stop_without_a_socket_tells_the_rooms_head(scene: Scene, client: AsyncClient, engine: Engine) -> None:
    await ModelRoute.objects.aupdate(options={"text": STORY, "hang_at_chunk": 2})
    turn = await take_turn(
        engine, identity_of(scene.alice), scene.room.pk, SendMessage(request_id=request_id(), text="hi"),
        door="post", received_at=0.0,
    )
    body = json.dumps({"type": "stop", "messageId": str(turn.accepted.message_id), "seenLength": 0})
    response = await post(client, f"/chat/rooms/{scene.room.pk}/commands", body)
    assert response.json() == {"head": 1}
