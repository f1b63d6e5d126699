"""Which routes a room's answers are asked for, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from chat import accept_statements
from chat.models import ModelRoute, Room
from streaming.remembered import forget
from streaming.turns import load_routes
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def room(settings: Any) -> Room:
    settings.ROUTES_CACHE_SECONDS = 0
    for sort, name in enumerate(["first", "second", "third"]):
        ModelRoute.objects.create(name=name, kind="scripted", sort=sort)
    return make_room(make_user("alice"))


def pin(room: Room, *, room_to: str = "", character_to: str = "") -> None:
    room.route = ModelRoute.objects.filter(name=room_to).first()
    room.save()
    room.character.route = ModelRoute.objects.filter(name=character_to).first()
    room.character.save()
    forget()


def names(room: Room) -> list[list[str]]:
    """As a turn finds them, and as a takeover does."""
    row, _ = accept_statements.lock_room(room.pk, room.owner_id, request_id())
    again = Room.objects.select_related("character").get(pk=room.pk)
    return [[route.name for route in load_routes(found)] for found in (row, again)]


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ({}, ["first", "second", "third"]),
        ({"character_to": "second"}, ["second", "first", "third"]),
        ({"room_to": "third"}, ["third", "first", "second"]),
        ({"room_to": "third", "character_to": "second"}, ["third", "second", "first"]),
        ({"room_to": "third", "character_to": "third"}, ["third", "first", "second"]),
    ],
    ids=str,
)
def test_the_rooms_own_route_comes_first_then_its_characters(
    room: Room, pins: dict[str, str], expected: list[str]
) -> None:
    pin(room, **pins)
    assert names(room) == [expected, expected]
    first = Room.objects.get(pk=room.pk).first_route
    assert first is not None
    assert first.name == expected[0]


def test_a_pinned_route_that_is_off_is_not_asked(room: Room) -> None:
    pin(room, room_to="third")
    ModelRoute.objects.filter(name="third").update(is_enabled=False)
    forget()
    assert names(room) == [["first", "second"]] * 2
    assert Room.objects.get(pk=room.pk).first_route == ModelRoute.objects.get(name="first")


def test_a_deleted_route_unpins(room: Room) -> None:
    pin(room, character_to="second")
    ModelRoute.objects.filter(name="second").delete()
    forget()
    assert names(room) == [["first", "third"]] * 2
