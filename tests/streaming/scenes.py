"""alice in her room, charlie outside it, a scripted model; and both kinds of doors into the room."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from django.test import AsyncClient

from chat.models import ModelRoute, User
from tests.people import make_room, make_route, make_user, sign_in
from tests.streaming.seats import Tab

STORY = '*She smiles.* "Hello there," she says. 안녕! 👋'


class Scene:
    """What the model writes is `STORY`, unless `script` says otherwise."""

    def __init__(self) -> None:
        self.alice, self.charlie = make_user("alice"), make_user("charlie")
        self.room = make_room(self.alice)
        self.alices, self.charlies = sign_in(self.alice), sign_in(self.charlie)
        self.route = make_route(options={"text": STORY})

    def tab(self, **options: Any) -> Tab:
        return Tab(self.room.pk, self.alices, **options)

    async def script(self, **options: Any) -> None:
        await ModelRoute.objects.filter(pk=self.route.pk).aupdate(options={"text": STORY, **options})


async def client_of(user: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(user)
    return client


async def post(client: AsyncClient, path: str, **body: Any) -> Any:
    return await client.post(path, json.dumps(body, default=str), content_type="application/json")


async def sse(response: Any) -> AsyncIterator[dict[str, Any]]:
    """The stream's frames: {"id"?, "event", "data"}."""
    buffer = ""
    async for part in response.streaming_content:
        buffer += part.decode()
        while "\n\n" in buffer:
            block, buffer = buffer.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            yield {**fields, "data": json.loads(fields["data"])}


async def read_stream(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/event-stream")
    return [frame async for frame in sse(response)]
