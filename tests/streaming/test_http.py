"""The HTTP doors: the completed answer, polling, rooms and their changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import AsyncClient

from chat.models import Generation, Message, Trace
from streaming.engine import Engine
from streaming.events import (
    End,
)
from tests.people import request_id
from tests.streaming.following import begun, reached
from tests.streaming.scenes import STORY, Scene, post

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_the_completed_response_is_the_whole_answer(scene: Scene, client: AsyncClient) -> None:
    rid = request_id()
    response = await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")
    body = response.json()
    assert response.status_code == 200
    assert (body["result"]["type"], body["result"]["content"]) == ("ai_message_end", STORY)
    assert (body["userMessage"]["type"], body["userMessage"]["text"]) == ("user_message", "hi")
    assert (body["start"]["type"], body["start"]["messageId"]) == ("ai_message_start", body["result"]["messageId"])
    assert (await Generation.objects.aget(request_id=rid)).path == "fallback"


async def test_switched_off_the_provider_is_asked_for_the_completed_response(
    scene: Scene, client: AsyncClient, settings: Any
) -> None:
    settings.CHAT_STREAMING_ENABLED = False
    rid = request_id()
    response = await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")
    assert response.json()["result"]["seq"] == 2, "a start, the whole text, an end"
    assert (await Generation.objects.aget(request_id=rid)).path == "completed"


async def test_the_same_request_waits_for_the_running_answer_and_gets_it(
    scene: Scene, client: AsyncClient, engine: Engine
) -> None:
    await scene.script(chunks_per_second=100)
    body = {"roomId": scene.room.pk, "requestId": request_id(), "text": "hi"}
    first, second = await asyncio.gather(post(client, "/chat/messages", **body), post(client, "/chat/messages", **body))
    assert first.json()["result"] == second.json()["result"]
    assert await Generation.objects.acount() == 1
    third = await post(client, "/chat/messages", **body)
    assert third.json()["result"] == first.json()["result"]


async def test_a_client_that_leaves_does_not_take_the_answer_along(
    scene: Scene, client: AsyncClient, engine: Engine
) -> None:
    await scene.script(chunks_per_second=50)
    body = {"roomId": scene.room.pk, "requestId": request_id(), "text": "hi"}
    leaving = asyncio.create_task(post(client, "/chat/messages", **body))
    run = await begun(engine)
    leaving.cancel()
    terminal = await asyncio.wait_for(run.ended, 15)
    assert isinstance(terminal, End)
    assert (await Message.objects.aget(pk=terminal.message_id)).content == STORY


async def test_a_failing_model_is_a_502_that_tells_the_code(scene: Scene, client: AsyncClient) -> None:
    await scene.script(fail_at_chunk=0, fail_code="provider_refused", fail_retryable=False)
    response = await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")
    body = response.json()
    assert response.status_code == 502
    assert (body["error"]["code"], body["result"]["type"]) == ("provider_refused", "ai_message_error")
    assert body["userMessage"]["text"] == "hi"


async def test_polling_shows_the_text_of_now(scene: Scene, client: AsyncClient, engine: Engine) -> None:
    await scene.script(hang_at_chunk=6)
    await post(client, "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi")
    run = await begun(engine)
    await reached(run, 6)
    polled = (await client.get(f"/chat/messages/{run.key.message_id}")).json()["message"]
    page = (await client.get(f"/chat/rooms/{scene.room.pk}/messages")).json()
    assert (polled["text"], polled["seq"], polled["length"], polled["status"]) == (STORY[:24], 6, 24, "writing")
    assert page["messages"][-1] == polled


async def test_a_room_is_made_listed_and_read(scene: Scene, client: AsyncClient) -> None:
    made = await post(client, "/chat/rooms", characterId="mina", greeting=1)
    assert made.status_code == 201
    room_id = made.json()["roomId"]
    listed = (await client.get("/chat/rooms")).json()["rooms"]
    assert next(room["roomId"] for room in listed) == room_id
    page = (await client.get(f"/chat/rooms/{room_id}/messages?limit=5")).json()
    assert page["messages"][0]["text"] == '"The lamp is lit."'
    assert (await AsyncClient().get("/chat/characters")).json()["characters"][0]["characterId"] == "mina"


async def test_commands_without_a_socket_change_the_room(scene: Scene, client: AsyncClient) -> None:
    body = (await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")).json()
    path = f"/chat/rooms/{scene.room.pk}/commands"
    edited = await post(client, path, type="edit_message", messageId=body["result"]["messageId"], text="Edited.")
    rewound = await post(client, path, type="rewind", messageId=body["userMessage"]["messageId"])
    assert rewound.json()["head"] > edited.json()["head"] > 1
    again = await post(
        client, "/chat/messages", type="regenerate", roomId=scene.room.pk, requestId=request_id(),
        messageId=body["userMessage"]["messageId"],
    )
    assert again.json()["result"]["content"] == STORY
    assert again.json()["userMessage"] is None


async def test_the_beacon_keeps_the_browsers_marks(scene: Scene, client: AsyncClient) -> None:
    rid = request_id()
    await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")
    response = await post(client, "/chat/timings", type="timing", requestId=rid, marks={"click": 0, "end": 99.5})
    assert response.status_code == 204
    assert (await Trace.objects.aget(request_id=rid)).client_marks == {"click": 0, "end": 99.5}
