"""A browser's report at either door: joined with the answer, or nothing at all; and the lines that name a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog
from django.test import AsyncClient
from structlog.testing import capture_logs

from chat import generations, rates
from chat.api import REFUSED
from chat.log_fields import spread_who
from chat.models import Trace
from streaming.engine import Engine
from streaming.events import CommandError, Failure
from streaming.instrumentation import STAGES
from tests.people import request_id
from tests.streaming.scenes import Scene, client_of, post, read_stream
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

LOST = {"click": 0.0, "sent": 2.0, "ack_timeout": 5000.0}
FIELDS = {"requestId", "roomId", "userId", "characterId", "path"}


async def send_form(client: AsyncClient, token: str, **fields: str) -> Any:
    """As navigator.sendBeacon sends URLSearchParams."""
    body = urlencode({"csrfmiddlewaretoken": token, **fields})
    return await client.post("/chat/timings", body, content_type="application/x-www-form-urlencoded;charset=UTF-8")


@pytest.fixture
async def strict(scene: Scene) -> AsyncClient:
    """Alice's, at a door that wants the token as a browser's page has it."""
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(scene.alice)
    await client.get("/")
    return client


async def beacon(client: AsyncClient, **timing: Any) -> int:
    told = json.dumps({"type": "timing", **timing}, default=str)
    return int((await send_form(client, client.cookies["csrftoken"].value, timing=told)).status_code)


async def test_a_beacon_is_a_form_with_the_token(scene: Scene, strict: AsyncClient) -> None:
    rid = request_id()
    assert await beacon(strict, requestId=rid, roomId=scene.room.pk, marks=LOST) == 204
    assert (await Trace.objects.aget(request_id=rid)).failure == "ack_timeout"


async def test_a_beacon_without_the_token_or_a_session_is_counted_and_leaves_nothing(
    scene: Scene, strict: AsyncClient
) -> None:
    before = {code: refused(code) for code in ("csrf_failed", "not_signed_in")}
    told = json.dumps({"type": "timing", "requestId": request_id(), "marks": LOST})
    assert (await send_form(strict, "", timing=told)).status_code == 403
    stranger = AsyncClient(enforce_csrf_checks=True)
    stranger.cookies["csrftoken"] = strict.cookies["csrftoken"].value
    assert await beacon(stranger, requestId=request_id(), roomId=scene.room.pk, marks=LOST) == 401
    assert await Trace.objects.acount() == 0
    assert {code: refused(code) - count for code, count in before.items()} == {"csrf_failed": 1, "not_signed_in": 1}


def refused(code: str) -> float:
    return float(REFUSED.labels(code)._value.get())


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"timing": "{"}, "bad_json"), ({"timing": '{"type":"typing"}'}, "unknown_type"), ({}, "bad_json"),
     ({"timing": '{"type":"timing"}'}, "invalid_fields"), ({"timing": "x" * 70_000}, "frame_too_large")],
)
async def test_a_beacon_of_something_else_is_refused(strict: AsyncClient, fields: dict[str, str], code: str) -> None:
    response = await send_form(strict, strict.cookies["csrftoken"].value, **fields)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


async def test_a_socket_knows_its_room(scene: Scene, tab: Tab) -> None:
    rid = request_id()
    await tab.say("timing", requestId=rid, marks=LOST)
    await tab.say("fly")
    await tab.until(CommandError)
    trace = await Trace.objects.aget(request_id=rid)
    assert (trace.room_id, trace.failure, trace.cohort) == (scene.room.pk, "ack_timeout", "stream")


async def test_a_stranger_tells_nothing_of_anybody_elses(engine: Engine, scene: Scene, tab: Tab) -> None:
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    before = await Trace.objects.values().aget()
    charlie = await client_of(scene.charlie)
    for told in (rid, request_id()):
        response = await post(
            charlie, "/chat/timings", type="timing", requestId=told, roomId=scene.room.pk, marks=LOST
        )
        assert response.status_code == 204, "missing and forbidden look the same"
    assert await Trace.objects.values().aget() == before


async def test_many_reports_are_refused_as_any_commands_are(strict: AsyncClient, settings: Any) -> None:
    rates.forget()
    settings.CHAT_COMMANDS_PER_MINUTE = 2
    codes = [await beacon(strict, requestId=request_id(), marks=LOST) for _ in range(3)]
    assert codes == [204, 204, 429]


# Marks


@pytest.mark.parametrize(
    ("door", "is_on", "path"),
    [
        ("socket", True, "stream"), ("stream", True, "sse"), ("post", True, "fallback"),
        ("socket", False, "completed"), ("stream", False, "completed"), ("post", False, "completed"),
    ],
)
async def test_every_way_reaches_every_mark_in_order(
    engine: Engine, scene: Scene, tab: Tab, client: AsyncClient, settings: Any, door: str, is_on: bool, path: str
) -> None:
    settings.CHAT_STREAMING_ENABLED = is_on
    rid = request_id()
    body = {"roomId": scene.room.pk, "requestId": rid, "text": "hi"}
    if door == "socket":
        await tab.send(rid=rid)
        await tab.answer()
    elif door == "stream":
        await read_stream(await post(client, "/chat/messages/stream", **body))
    else:
        await post(client, "/chat/messages", **body)
    await engine.runner.settled()
    trace = await Trace.objects.aget(request_id=rid)
    assert (trace.path, trace.outcome, trace.abandoned) == (path, "done", "")
    # What is told comes after what is committed.
    way = [*STAGES[:-2], "settled", "end_frame"]
    assert [trace.marks[stage] for stage in way] == sorted(trace.marks[stage] for stage in STAGES)


# Lines


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Everything that is said, at debug too."""
    logger = logging.getLogger("streaming.instrumentation")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    with capture_logs(processors=[spread_who]) as captured:
        yield captured
    logger.setLevel(before)


async def test_one_line_a_stage_and_one_a_request_all_with_the_five_fields(
    engine: Engine, scene: Scene, tab: Tab, lines: list[Any]
) -> None:
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    trace = await Trace.objects.aget(request_id=rid)
    stages = [line for line in lines if line["event"] == "stage"]
    assert sorted(line["stage"] for line in stages) == sorted(set(trace.marks) - {"received"})
    (answer,) = [line for line in lines if line["event"] == "answer"]
    assert {line["log_level"] for line in stages} == {"debug"}
    assert answer["log_level"] == "info"
    named = {field: answer[field] for field in FIELDS}
    assert named == {
        "requestId": rid, "roomId": str(scene.room.pk), "userId": scene.alice.pk, "characterId": "mina",
        "path": "stream",
    }
    assert [{field: line.get(field) for field in FIELDS} for line in stages] == [named] * len(stages)


async def test_what_is_said_in_a_database_thread_names_it_too(
    engine: Engine, scene: Scene, tab: Tab, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = generations.settle

    def told(*ended: Any) -> bool:
        structlog.get_logger("streaming.instrumentation").info("in_a_thread")
        return settle(*ended)

    monkeypatch.setattr(generations, "settle", told)
    rid = await tab.send()
    await tab.answer()
    await engine.runner.settled()
    (line,) = [line for line in lines if line["event"] == "in_a_thread"]
    assert (line["requestId"], set(line) >= FIELDS) == (rid, True)


async def test_what_is_said_while_an_answer_is_written_names_it(
    scene: Scene, tab: Tab, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.runner.write_answer", crash)
    rid = await tab.send()
    await tab.until(Failure)
    (crashed,) = [line for line in lines if line["event"] == "answer_crashed"]
    assert set(crashed) >= FIELDS
    assert crashed["requestId"] == rid


async def crash(*_: Any) -> Any:
    raise RuntimeError("odd")


async def test_a_refused_send_is_a_line_too(scene: Scene, tab: Tab, lines: list[Any], settings: Any) -> None:
    settings.CHAT_MESSAGE_MAX_CHARS = 3
    rid = await tab.send("too long for this")
    await tab.refusal()
    (refused,) = [line for line in lines if line["event"] == "refused"]
    assert (refused["requestId"], refused["code"], refused["door"]) == (rid, "text_too_long", "socket")
    assert (refused["roomId"], refused["userId"]) == (str(scene.room.pk), scene.alice.pk)
    assert (refused["characterId"], refused["path"]) == ("mina", "stream")
