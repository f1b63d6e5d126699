"""What the HTTP addresses really answer, held against the published OpenAPI document."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from jsonschema import Draft202012Validator

from chat.models import ModelRoute
from chatproject.schema.openapi import build_openapi
from streaming import engine as engines
from streaming.events import EVENT_TYPES, decode
from tests.people import make_room, make_route, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

OPENAPI = build_openapi()
DEEP = 20_000


class Scene:
    """alice with a room, signed in; a model that says one sentence."""

    def __init__(self) -> None:
        self.user = make_user("alice")
        self.room = make_room(self.user)
        self.route = make_route(options={"text": "안녕! *waves*"})
        self.client = AsyncClient()

    def body(self, **fields: Any) -> dict[str, Any]:
        return {"roomId": self.room.pk, "requestId": request_id(), "text": "hi", **fields}


@pytest.fixture
async def scene(transactional_db: None) -> AsyncIterator[Scene]:
    engines.get_engine()
    scene = await sync_to_async(Scene)()
    await scene.client.aforce_login(scene.user)
    yield scene
    await engines.stop_engine()


async def post(client: AsyncClient, path: str, body: Any) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body, default=str)
    return await client.post(path, text, content_type="application/json")


def check(response: Any, method: str, path: str) -> dict[str, Any]:
    """The answer as the document has it for this address and status; returns it."""
    told = OPENAPI["paths"][path][method]["responses"][str(response.status_code)]
    schema = told["content"]["application/json"]["schema"]
    answer: dict[str, Any] = response.json()
    Draft202012Validator({**schema, "components": OPENAPI["components"]}).validate(answer)
    if "error" in answer:
        assert f"`{answer['error']['code']}`" in told["description"] or response.status_code == 502
    return answer


async def test_what_can_be_listed(scene: Scene) -> None:
    check(await scene.client.get("/chat/characters"), "get", "/chat/characters")
    check(await scene.client.get("/chat/rooms"), "get", "/chat/rooms")
    page = check(
        await scene.client.get(f"/chat/rooms/{scene.room.pk}/messages"), "get", "/chat/rooms/{roomId}/messages"
    )
    greeting = page["messages"][0]["messageId"]
    check(await scene.client.get(f"/chat/messages/{greeting}"), "get", "/chat/messages/{messageId}")


async def test_a_room_is_made(scene: Scene) -> None:
    response = await post(scene.client, "/chat/rooms", {"characterId": "mina", "greeting": 1})
    assert response.status_code == 201
    check(response, "post", "/chat/rooms")


async def test_a_completed_turn_and_one_that_failed(scene: Scene) -> None:
    done = await post(scene.client, "/chat/messages", scene.body())
    assert done.status_code == 200
    check(done, "post", "/chat/messages")
    await ModelRoute.objects.filter(pk=scene.route.pk).aupdate(
        options={"text": "a", "fail_at_chunk": 0, "fail_code": "provider_refused", "fail_retryable": False}
    )
    failed = await post(scene.client, "/chat/messages", scene.body())
    assert failed.status_code == 502
    assert check(failed, "post", "/chat/messages")["error"]["code"] == "provider_refused"


async def test_a_streamed_turn_is_made_of_the_contracts_events(scene: Scene) -> None:
    response = await post(scene.client, "/chat/messages/stream", scene.body())
    assert response.status_code == 200
    text = b"".join([part async for part in response.streaming_content]).decode()
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        event = decode(fields["data"])
        assert fields["event"] == event.__struct_config__.tag in EVENT_TYPES


async def test_a_room_is_changed(scene: Scene) -> None:
    done = (await post(scene.client, "/chat/messages", scene.body())).json()
    command = {"type": "edit_message", "messageId": done["result"]["messageId"], "text": "Edited."}
    check(
        await post(scene.client, f"/chat/rooms/{scene.room.pk}/commands", command), "post",
        "/chat/rooms/{roomId}/commands",
    )


async def test_accounts(scene: Scene) -> None:
    check(await post(AsyncClient(), "/accounts/guest/", {}), "post", "/accounts/guest/")
    check(await post(scene.client, "/accounts/persona/", {"name": "Ari"}), "post", "/accounts/persona/")


async def test_timings_are_noted_without_an_answer(scene: Scene) -> None:
    body = scene.body()
    await post(scene.client, "/chat/messages", body)
    marks = {"type": "timing", "requestId": body["requestId"], "marks": {"sent": 1.0}}
    response = await post(scene.client, "/chat/timings", marks)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health(scene: Scene, path: str) -> None:
    check(await scene.client.get(path), "get", path)


HOSTILE: dict[str, str | bytes | dict[str, Any]] = {
    "not JSON": "{",
    "not UTF-8": b'{"text":"\xff"}',
    "an array": "[]",
    "null": "null",
    "deep nesting": "[" * DEEP,
    "deep nesting in a field": '{"roomId":' + "[" * DEEP + "]" * DEEP + "}",
    "NaN": '{"roomId":NaN}',
    "no room": {"requestId": "12345678", "text": "hi"},
    "an unknown field": {"roomId": str(uuid.uuid4()), "requestId": "12345678", "text": "hi", "mood": "good"},
    "another's command": {"type": "typing", "roomId": str(uuid.uuid4())},
    "too much": '{"text":"' + "a" * 70_000 + '"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("path", ["/chat/messages", "/chat/messages/stream"])
async def test_hostile_bodies_are_refused_as_published(scene: Scene, path: str, body: Any) -> None:
    response = await post(scene.client, path, body)
    assert response.status_code == 400
    check(response, "post", path)


@pytest.mark.parametrize("path", ["/chat/rooms", "/accounts/persona/", "/chat/timings"])
@pytest.mark.parametrize("body", ["{", "[" * DEEP, "null", '{"x":' + "[" * DEEP + "]" * DEEP + "}"], ids=range(4))
async def test_other_bodies_are_refused_as_published(scene: Scene, path: str, body: str) -> None:
    response = await post(scene.client, path, body)
    assert response.status_code == 400
    check(response, "post", path)


async def test_refusals_have_the_published_shape_and_status(scene: Scene) -> None:
    stranger = AsyncClient()
    unknown = uuid.uuid4()
    asked = [
        (await stranger.get("/chat/rooms"), "get", "/chat/rooms", 401),
        (await scene.client.get(f"/chat/rooms/{unknown}/messages"), "get", "/chat/rooms/{roomId}/messages", 404),
        (await scene.client.get(f"/chat/messages/{unknown}"), "get", "/chat/messages/{messageId}", 404),
        (await post(scene.client, "/chat/messages", scene.body(text=" ")), "post", "/chat/messages", 400),
        (await post(scene.client, "/chat/messages", scene.body(roomId=unknown)), "post", "/chat/messages", 404),
        (await scene.client.get("/chat/messages"), "post", "/chat/messages", 405),
        (await post(scene.client, "/chat/rooms", {"characterId": "nobody"}), "post", "/chat/rooms", 404),
    ]
    for response, method, path, status in asked:
        assert response.status_code == status
        check(response, method, path)


async def test_an_address_that_is_none_is_refused_in_json_and_a_page_in_html(scene: Scene) -> None:
    nothing = await scene.client.get("/chat/nothing")
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (404, "not_found")
    page = await scene.client.get("/nothing/")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
