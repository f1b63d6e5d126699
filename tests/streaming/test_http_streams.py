"""Answers as server-sent events: the socket's answer, from any place in it."""

from __future__ import annotations

import pytest
from django.test import AsyncClient

from streaming.engine import Engine
from tests.people import request_id
from tests.streaming.scenes import STORY, Scene, post, read_stream, sse

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


async def test_the_stream_is_the_same_answer_as_events(scene: Scene, client: AsyncClient) -> None:
    response = await post(client, "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi")
    frames = await read_stream(response)
    events = [frame["event"] for frame in frames]
    assert events[:3] == ["user_message", "ack", "ai_message_start"]
    assert events[-2:] == ["ai_message_end", "ack"]
    assert frames[-2]["data"]["content"] == STORY
    assert frames[-1]["data"]["stage"] == "done"
    told = [frame["data"].get("chunk") or frame["data"].get("text", "") for frame in frames]
    assert "".join(told[2:-2]) == STORY
    assert [frame.get("id") for frame in frames[-2:]] == [f"{frames[-2]['data']['seq']}-1", None]


async def test_a_stream_resumes_after_the_last_event_id(scene: Scene, client: AsyncClient, engine: Engine) -> None:
    await scene.script(hang_at_chunk=6)
    response = await post(client, "/chat/messages/stream", roomId=scene.room.pk, requestId=request_id(), text="hi")
    frames = sse(response)
    message_id = ""
    async for frame in frames:
        message_id = frame["data"].get("messageId", "")
        if frame["data"].get("seq", 0) >= 6:
            break
    resumed = await client.get(f"/chat/messages/{message_id}/stream", headers={"last-event-id": "3-1"})
    chunk = await anext(sse(resumed))
    assert (chunk["data"]["fromSeq"], chunk["data"]["seq"], chunk["data"]["chunk"]) == (4, 6, STORY[12:24])
    foreign = await client.get(f"/chat/messages/{message_id}/stream", headers={"last-event-id": "3-7"})
    assert (await anext(sse(foreign)))["data"]["text"] == STORY[:24]


async def test_a_stream_of_an_ended_answer_is_its_end(scene: Scene, client: AsyncClient) -> None:
    body = await post(client, "/chat/messages", roomId=scene.room.pk, requestId=request_id(), text="hi")
    result = body.json()["result"]
    frames = await read_stream(await client.get(f"/chat/messages/{result['messageId']}/stream"))
    assert [frame["event"] for frame in frames] == ["ai_message_end", "ack"]
    assert frames[0]["data"] == result


async def test_a_stream_whose_answer_was_rewound_away_ends_with_an_error(scene: Scene, client: AsyncClient) -> None:
    rid = request_id()
    body = (await post(client, "/chat/messages", roomId=scene.room.pk, requestId=rid, text="hi")).json()
    begun = await client.get(f"/chat/messages/{body['result']['messageId']}/stream")
    path, said = f"/chat/rooms/{scene.room.pk}/commands", body["userMessage"]["messageId"]
    assert (await post(client, path, type="rewind", messageId=said)).status_code == 200
    frames = await read_stream(begun)
    assert [(frame["event"], frame.get("id")) for frame in frames] == [("ai_message_error", None)]
    error = frames[0]["data"]
    assert (error["code"], error["retryable"]) == ("message_not_found", False)
    assert (error["messageId"], error["requestId"]) == (body["result"]["messageId"], rid)


async def test_a_greeting_was_not_generated_and_has_no_stream(scene: Scene, client: AsyncClient) -> None:
    page = (await client.get(f"/chat/rooms/{scene.room.pk}/messages")).json()
    response = await client.get(f"/chat/messages/{page['messages'][0]['messageId']}/stream")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "message_not_found")
