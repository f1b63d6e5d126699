"""`manage.py rooms`: what an operator is told of the rooms."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.messages import Request, accept_send
from chat.models import Room, User
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


def rooms(*arguments: str) -> str:
    out = StringIO()
    call_command("rooms", *arguments, stdout=out)
    return out.getvalue()


def as_json(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rooms("--json", *arguments))
    return found


def test_a_room_is_one_line_with_all_that_matters(alice: User) -> None:
    room = make_room(alice)
    Room.objects.filter(pk=room.pk).update(title="폭풍우 치는 밤\n둘째 줄", message_count=7)
    head, line = rooms().splitlines()
    assert head.split()[:3] == ["room", "owner", "character"]
    assert line.split()[:4] == [str(room.pk), "alice", "mina", "7"]
    assert line.endswith("폭풍우 치는 밤 둘째 줄")


def test_an_answer_being_written_is_told(alice: User) -> None:
    quiet, busy = make_room(alice), make_room(alice)
    accept_send(
        Request(user_id=alice.pk, room_id=busy.pk, request_id=request_id(), path="stream", owner="me"), "hi"
    )
    running = {row["roomId"]: row["running"] for row in as_json()}
    assert running == {str(quiet.pk): False, str(busy.pk): True}


def test_the_newest_activity_comes_first_and_the_limit_cuts_the_rest(alice: User) -> None:
    made = [make_room(alice) for _ in range(3)]
    for age, room in enumerate(made):
        Room.objects.filter(pk=room.pk).update(active_at=timezone.now() - timedelta(hours=age))
    assert [row["roomId"] for row in as_json("--limit", "2")] == [str(room.pk) for room in made[:2]]


@pytest.mark.parametrize("by", ["username", "id"])
def test_one_users_rooms_can_be_asked_for(alice: User, by: str) -> None:
    make_room(alice)
    dora = make_user("dora")
    hers = make_room(dora)
    found = as_json("--user", dora.username if by == "username" else str(dora.pk))
    assert [(row["roomId"], row["owner"]) for row in found] == [(str(hers.pk), "dora")]


def test_json_holds_the_whole_title(alice: User) -> None:
    room = make_room(alice)
    Room.objects.filter(pk=room.pk).update(title="가" * 100)
    assert as_json()[0]["title"] == "가" * 100
    assert "가" * 19 + "…" in rooms()


def test_nothing_to_list_is_said(alice: User) -> None:
    assert rooms() == "No rooms.\n"
    assert as_json() == []


@pytest.mark.parametrize("wanted", ["nobody", "999999", "²"])
def test_an_unknown_user_is_an_error_that_names_them(alice: User, wanted: str) -> None:
    with pytest.raises(CommandError, match=f"There is no user '{wanted}'"):
        rooms("--user", wanted)


@pytest.mark.parametrize("limit", ["0", "-3", "many"])
def test_a_limit_that_is_no_number_of_rooms_is_an_error(alice: User, limit: str) -> None:
    with pytest.raises(CommandError, match="--limit"):
        rooms("--limit", limit)
