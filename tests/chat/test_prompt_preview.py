"""`manage.py prompt_preview` shows what the engine sends, to the byte; `manage.py outbox` how deferred work stands."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chat import outbox
from chat.models import Message, OutboxJob, Room
from streaming.prompting import RoomPrompts
from streaming.turns import load_context, load_routes
from tests.chat.answers import answered, job_of
from tests.people import make_room, make_route, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    room = make_room(make_user("alice"))
    Room.objects.filter(pk=room.pk).update(user_note="{{user}} is tired.")
    make_route(max_context_tokens=4096, max_output_tokens=512)
    return room


def output(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def preview(room: Room, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output("prompt_preview", str(room.pk), "--json", *options))
    return found


def contents(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in found["messages"]]


def test_the_preview_is_what_the_engine_sends(room: Room) -> None:
    answered(room, "Is the lamp lit?")
    room.refresh_from_db()
    prompt = RoomPrompts(load_context(room, before=2)).build(load_routes(room)[0], "")
    assert contents(preview(room)) == [(message.role, message.content) for message in prompt.messages]
    assert "is tired." in prompt.messages[-1].content


def test_what_might_be_said_next_is_shown_and_not_written(room: Room) -> None:
    answered(room, "Is the lamp lit?")
    before = Message.objects.count()
    shown = contents(preview(room, "--say", "And now?"))
    assert shown[-1][1].startswith("And now?")
    assert shown[-2][0] == "assistant"
    assert Message.objects.count() == before


def test_a_room_where_nothing_was_said_shows_how_the_story_would_open(room: Room) -> None:
    assert [role for role, _ in contents(preview(room))] == ["system", "user"]


def test_it_says_what_a_cut_drops(room: Room) -> None:
    for number in range(8):
        answered(room, f"turn {number}", reply="word " * 60)
    make_route(name="small", max_context_tokens=900, max_output_tokens=100, sort=2)
    window = preview(room, "--route", "small")["window"]
    assert window["isCutNow"]
    assert window["cut"] == list(range(window["start"]))
    Room.objects.filter(pk=room.pk).update(window_start=window["start"])
    later = preview(room, "--route", "small")["window"]
    assert (later["isCutNow"], later["cut"], later["cutEarlier"]) == (False, [], window["cut"])


def test_the_text_says_the_same_to_a_person(room: Room) -> None:
    answered(room, "Is the lamp lit?")
    text, found = output("prompt_preview", str(room.pk)), preview(room)
    assert f"tokens {found['tokens']['total']} of {found['tokens']['limit']}" in text
    assert f"prefix {found['prefixHash']}" in text
    assert all(message["content"] in text for message in found["messages"])


@pytest.mark.parametrize("room_id", ["00000000-0000-4000-8000-000000000000", "not-an-id", ""])
def test_an_unknown_room_is_a_clear_error(room: Room, room_id: str) -> None:
    with pytest.raises(CommandError, match="There is no room"):
        output("prompt_preview", room_id)


def test_an_unknown_route_is_a_clear_error(room: Room) -> None:
    with pytest.raises(CommandError, match="There is no route nope"):
        output("prompt_preview", str(room.pk), "--route", "nope")


def test_without_any_route_it_says_so(db: None) -> None:
    room = make_room(make_user("bob"))
    with pytest.raises(CommandError, match="No model route is enabled"):
        output("prompt_preview", str(room.pk))


def test_a_prompt_that_cannot_fit_is_a_clear_error(room: Room) -> None:
    make_route(name="tiny", max_context_tokens=200, max_output_tokens=100, sort=2)
    with pytest.raises(CommandError, match="context_too_long"):
        output("prompt_preview", str(room.pk), "--route", "tiny", "--say", "hi")


def test_the_outbox_is_shown_with_its_dead_and_can_be_revived_and_drained(room: Room) -> None:
    message_id = answered(room)
    OutboxJob.objects.update(status="dead", last_error="Traceback\nRuntimeError: no luck")
    assert f"dead {job_of(message_id).pk} after_reply message {message_id}: RuntimeError: no luck" in output("outbox")
    text = output("outbox", "--retry", "--drain", "--prune")
    assert "1 dead jobs are due again" in text
    assert "waiting 0, dead 0" in text
    assert job_of(message_id).status == "done"
    assert outbox.backlog().waiting == 0
