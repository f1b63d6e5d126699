"""`talk` and `replay`: the operators' doors into the same engine."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from chat import generations
from chat.messages import Request, accept_send
from chat.models import Generation, Message, Room
from tests.people import make_character, make_room, make_route, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

STORY = '"Hello," *she says*. 안녕!'


def run(name: str, *args: Any, **options: Any) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def test_talk_tells_the_answer_and_stores_it() -> None:
    make_user("bob", is_superuser=True)
    make_character()
    make_route(options={"text": STORY})
    told = run("talk", "mina", "--language", "en", say=["hi", "/again"])
    assert told.count(STORY) == 2
    assert "You came, Traveler." in told
    answers = Message.objects.filter(role="character", position=2)
    assert {answer.content for answer in answers} == {STORY}
    assert answers.count() == 2


def test_talk_goes_on_in_a_room_of_the_users_own_only() -> None:
    alice, charlie = make_user("alice"), make_user("charlie")
    make_route(options={"text": STORY})
    room = make_room(alice)
    assert STORY in run("talk", room=room.pk, user="alice", say=["hi"])
    with pytest.raises(CommandError, match="no such room"):
        run("talk", room=room.pk, user="charlie", say=["hi"])
    assert Room.objects.filter(owner=charlie).count() == 0


def test_talk_says_what_is_wrong() -> None:
    with pytest.raises(CommandError, match="no administrator"):
        run("talk", "mina")
    make_user("bob", is_superuser=True)
    with pytest.raises(CommandError, match="no such character"):
        run("talk", "nobody")
    with pytest.raises(CommandError, match="no user nobody"):
        run("talk", "mina", user="nobody")


def test_talk_without_a_model_tells_the_code() -> None:
    make_user("bob", is_superuser=True)
    make_character()
    assert "[provider_not_configured]" in run("talk", "mina", say=["hi"])


def test_replay_prints_start_and_end_as_the_wire_has_them() -> None:
    alice = make_user("alice")
    make_route(options={"text": STORY})
    run("talk", room=make_room(alice).pk, user="alice", say=["hi"])
    generation = Generation.objects.get()
    start, end = (json.loads(line) for line in run("replay", str(generation.pk)).splitlines())
    assert (start["type"], end["type"], end["content"]) == ("ai_message_start", "ai_message_end", STORY)
    assert run("replay", generation.request_id, text=True).strip() == STORY
    marks = run("replay", str(generation.pk), marks=True)
    assert marks.index("accepted") < marks.index("provider_asked") < marks.index("settled")


def test_replay_of_a_running_answer_is_its_checkpoint() -> None:
    room = make_room(make_user("alice"))
    accepted = accept_send(Request(room.owner_id, room.pk, request_id(), "stream", "me"), "hi")
    generations.checkpoint("me", [(accepted.message_id, "He", 2)])
    _, snapshot = (json.loads(line) for line in run("replay", str(accepted.message_id)).splitlines())
    assert (snapshot["type"], snapshot["text"], snapshot["seq"]) == ("ai_message_snapshot", "He", 2)


def test_replay_of_nothing_says_so() -> None:
    for name in (str(uuid4()), "no-such-request"):
        with pytest.raises(CommandError, match="There is no answer"):
            run("replay", name)
