"""What a socket is refused, by which code; and who does not get one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from chat.models import Generation
from streaming.engine import Engine
from streaming.events import (
    Chunk,
)
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

NO_MESSAGE = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_json"), ("[]", "invalid_fields"), ('{"type":"fly"}', "unknown_type"),
        ('{"type":"typing","x":1}', "invalid_fields"), ('{"type":"stop"}', "invalid_fields"),
        ('{"type":"send_message","requestId":"r","text":"hi"}', "invalid_fields"),
        ('{"type":"send_message","requestId":"request-x","text":1}', "invalid_fields"),
        ('{"type":"send_message","requestId":"request-x","text":" "}', "text_empty"),
        ('{"type":"send_message","requestId":"request-x","text":"' + "x" * 4001 + '"}', "text_too_long"),
        ('{"type":"send_message","requestId":"request-x","text":"' + "x" * 70000 + '"}', "frame_too_large"),
        (f'{{"type":"regenerate","requestId":"request-x","messageId":"{NO_MESSAGE}"}}', "message_not_found"),
        (f'{{"type":"stop","messageId":"{NO_MESSAGE}","seenLength":1}}', "message_not_found"),
    ],
)
async def test_a_bad_frame_is_refused_and_the_socket_lives_on(scene: Scene, tab: Tab, frame: str, code: str) -> None:
    await tab.socket.send_to(text_data=frame)
    assert (await tab.refusal()).code == code
    await tab.send()
    assert (await tab.answer()).content == STORY


async def test_a_binary_frame_is_refused(scene: Scene, tab: Tab) -> None:
    await tab.socket.send_to(bytes_data=b"\x00")
    assert (await tab.refusal()).code == "binary_frame"


async def test_a_second_send_while_one_answer_runs_is_refused_with_its_request(scene: Scene, tab: Tab) -> None:
    await scene.script(hang_at_chunk=1)
    await tab.send("one")
    await tab.until(Chunk)
    rid = await tab.send("two")
    refusal = await tab.refusal()
    assert (refusal.code, refusal.request_id) == ("generation_running", rid)


async def test_a_reused_request_id_with_another_text_is_refused(scene: Scene, tab: Tab) -> None:
    rid = await tab.send("one")
    await tab.answer()
    await tab.send("two", rid)
    assert (await tab.refusal()).code == "request_id_conflict"


async def test_a_flood_is_refused_with_a_time_to_wait(scene: Scene, settings: Any) -> None:
    settings.CHAT_COMMANDS_PER_MINUTE = 3
    tab = scene.tab()
    await tab.open()
    for _ in range(4):
        await tab.say("typing")
    refusal = await tab.refusal()
    assert refusal.code == "rate_limited"
    assert isinstance(refusal.retry_after_ms, int)
    await tab.close()


async def test_a_stranger_and_a_missing_room_are_closed_alike(scene: Scene) -> None:
    codes = []
    for room_id in (scene.room.pk, uuid.uuid4()):
        tab = Tab(room_id, scene.charlies)
        await tab.socket.connect(timeout=15)
        codes.append(await tab.closed_with())
    assert codes == [4504, 4504]


async def test_nobody_without_a_session_gets_in(scene: Scene) -> None:
    tab = Tab(scene.room.pk, "nosuchsession")
    await tab.socket.connect(timeout=15)
    assert await tab.closed_with() == 4501


async def test_a_session_that_ended_ends_the_socket_at_the_next_send(scene: Scene, tab: Tab) -> None:
    await Session.objects.filter(session_key=scene.alices).adelete()
    await tab.send()
    refusal = await tab.refusal()
    assert refusal.code == "session_expired"
    assert await tab.closed_with() == 4501
    assert await Generation.objects.acount() == 0


async def test_too_many_sockets_of_one_user_are_refused(scene: Scene, tab: Tab, settings: Any) -> None:
    settings.CHAT_SOCKETS_PER_USER = 1
    second = scene.tab()
    await second.socket.connect(timeout=15)
    assert await second.closed_with() == 4029


async def test_a_process_that_stops_says_that_the_same_send_may_succeed_later(
    scene: Scene, tab: Tab, engine: Engine
) -> None:
    engine.is_draining = True
    rid = await tab.send()
    refusal = await tab.refusal()
    assert (refusal.code, refusal.retryable, refusal.request_id) == ("draining", True, rid)
    assert isinstance(refusal.retry_after_ms, int)
    engine.is_draining = False
    await tab.send(rid=rid)
    assert (await tab.answer()).content == STORY


async def test_what_will_not_do_later_either_says_so(scene: Scene, tab: Tab) -> None:
    await tab.send(" ")
    refusal = await tab.refusal()
    assert (refusal.code, refusal.retryable) == ("text_empty", False)
