"""What the HTTP doors refuse, as JSON with a code; strangers are told nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import AsyncClient

from chat.models import Generation
from streaming.engine import Engine
from tests.people import request_id
from tests.streaming.scenes import Scene, client_of, post

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_a_stranger_learns_nothing(scene: Scene, client: AsyncClient) -> None:
    body = (await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")).json()
    charlie, message_id = await client_of(scene.charlie), body["result"]["messageId"]
    for room_id, one in ((scene.room.pk, message_id), (uuid.uuid4(), uuid.uuid4())):
        answers = [
            await charlie.get(f"/chat/rooms/{room_id}/messages"),
            await charlie.get(f"/chat/messages/{one}"),
            await charlie.get(f"/chat/messages/{one}/stream"),
            await post(charlie, "/chat/messages", roomId=room_id, requestId=request_id(), text="hi"),
            await post(charlie, "/chat/messages/stream", roomId=room_id, requestId=request_id(), text="hi"),
            await post(charlie, f"/chat/rooms/{room_id}/commands", type="rewind", messageId=one),
        ]
        assert [answer.status_code for answer in answers] == [404] * 6
        codes = [answer.json()["error"]["code"] for answer in answers]
        assert codes == ["room_not_found", "message_not_found", "message_not_found"] + ["room_not_found"] * 3


async def test_nobody_without_a_session_gets_anything(scene: Scene) -> None:
    stranger = AsyncClient()
    for path in ("/chat/rooms", f"/chat/rooms/{scene.room.pk}/messages", f"/chat/messages/{uuid.uuid4()}"):
        response = await stranger.get(path)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/chat/messages", "{", 400, "bad_json"),
        ("/chat/messages", "[]", 400, "invalid_fields"),
        ("/chat/messages", '{"text":"hi"}', 400, "invalid_fields"),
        ("/chat/messages", '{"roomId":"ROOM","requestId":"request-x","text":" "}', 400, "text_empty"),
        ("/chat/messages", '{"roomId":"ROOM","requestId":"request-x","text":"hi","x":1}', 400, "invalid_fields"),
        ("/chat/messages", '{"roomId":"ROOM","type":"rewind","messageId":"ROOM"}', 400, "unknown_type"),
        ("/chat/messages/stream", '{"roomId":"ROOM","requestId":"x","text":"hi"}', 400, "invalid_fields"),
        ("/chat/rooms", '{"characterId":"nobody"}', 404, "character_not_found"),
        ("/chat/rooms", '{"characterId":"mina","greeting":99}', 400, "invalid_fields"),
        ("/chat/timings", '{"type":"typing"}', 400, "unknown_type"),
        ("/chat/messages", '"' + "x" * 70_000 + '"', 400, "frame_too_large"),
    ],
)
async def test_a_bad_body_is_refused(
    scene: Scene, client: AsyncClient, path: str, body: str, status: int, code: str
) -> None:
    response = await client.post(path, body.replace("ROOM", str(scene.room.pk)), content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert await Generation.objects.acount() == 0


async def test_a_wrong_method_and_a_wrong_query_are_told(scene: Scene, client: AsyncClient) -> None:
    response = await client.get("/chat/messages")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    response = await client.get(f"/chat/rooms/{scene.room.pk}/messages?before=x")
    assert response.json()["error"]["code"] == "invalid_fields"


async def test_a_turn_over_the_rate_is_told_when_to_come_back(
    scene: Scene, client: AsyncClient, settings: Any
) -> None:
    settings.CHAT_TURNS_PER_MINUTE = 1
    await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")
    response = await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")
    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) > 0


async def test_a_post_without_csrf_token_is_refused_as_json(scene: Scene) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(scene.alice)
    response = await post(client, "/chat/rooms", characterId="mina")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf_failed")


async def test_a_process_that_stops_asks_for_the_same_request_later(
    scene: Scene, client: AsyncClient, engine: Engine
) -> None:
    body = {"roomId": scene.room.pk, "requestId": request_id(), "text": "hi"}
    engine.is_draining = True
    for path in ("/chat/messages", "/chat/messages/stream"):
        response = await post(client, path, **body)
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["retryable"]) == (503, "draining", True)
        assert int(response["Retry-After"]) > 0
    assert await Generation.objects.acount() == 0
    engine.is_draining = False
    assert (await post(client, "/chat/messages", **body)).status_code == 200
