"""Variants, edits and rewinds: the owner's, at the end of the story, never under a running answer."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from chat import edits, history
from chat.errors import ChatError
from chat.generations import Outcome, settle
from chat.messages import Accepted, Request, accept_regenerate, accept_send
from chat.models import Message, Room, User
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def room(alice: User) -> Room:
    return make_room(alice)


def ask(room: Room) -> Request:
    return Request(
        user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner="me"
    )


def answered(room: Room, text: str = "Hello.") -> Accepted:
    accepted = accept_send(ask(room), "hi")
    settle(accepted.message_id, 1, Outcome(status="done", text=text, last_seq=2, finish_reason="stop"))
    return accepted


def shown(room: Room) -> list[str]:
    return [message["text"] for message in history.load_page(room)["messages"]]


def code_of(call: Any) -> str:
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def test_a_variant_can_be_chosen_and_chosen_back(room: Room, alice: User) -> None:
    first = answered(room, "One.")
    second = accept_regenerate(ask(room), first.message_id)
    settle(second.message_id, 1, Outcome(status="done", text="Two.", last_seq=2))
    assert shown(room)[-1] == "Two."
    edits.select_variant(alice.pk, room.pk, first.message_id)
    page = history.load_page(room)["messages"][-1]
    assert page["text"] == "One."
    assert page["variants"] == [str(first.message_id), str(second.message_id)]
    assert page["variantIndex"] == 0
    edits.select_variant(alice.pk, room.pk, second.message_id)
    assert shown(room)[-1] == "Two."


def test_another_greeting_can_be_chosen_before_the_story_begins(room: Room, alice: User) -> None:
    other = Message.objects.get(room=room, position=0, selected=False)
    edits.select_variant(alice.pk, room.pk, other.pk)
    assert shown(room) == ['"The lamp is lit."']
    answered(room)
    first = Message.objects.get(room=room, position=0, selected=False)
    assert code_of(lambda: edits.select_variant(alice.pk, room.pk, first.pk)) == "not_last_message"


def test_a_failed_variant_without_text_is_not_offered(room: Room) -> None:
    first = answered(room)
    failed = accept_regenerate(ask(room), first.message_id)
    settle(failed.message_id, 1, Outcome(status="failed", text="", last_seq=1, error_code="provider_refused"))
    again = accept_regenerate(ask(room), failed.message_id)
    settle(again.message_id, 1, Outcome(status="done", text="Two.", last_seq=2))
    variants = history.load_page(room)["messages"][-1]["variants"]
    assert variants == [str(first.message_id), str(again.message_id)]


def test_both_sides_can_be_edited(room: Room, alice: User) -> None:
    accepted = answered(room)
    edits.edit_message(alice.pk, room.pk, accepted.user_message_id, "hey")  # type: ignore[arg-type]
    edits.edit_message(alice.pk, room.pk, accepted.message_id, "Hi there.")
    assert shown(room)[1:] == ["hey", "Hi there."]
    assert all(message["edited"] for message in history.load_page(room)["messages"][1:])


def test_an_edit_to_nothing_is_refused(room: Room, alice: User) -> None:
    accepted = answered(room)
    assert code_of(lambda: edits.edit_message(alice.pk, room.pk, accepted.message_id, " ")) == "text_empty"
    assert shown(room)[-1] == "Hello."


def test_rewinding_drops_what_came_after(room: Room, alice: User) -> None:
    first = answered(room, "One.")
    answered(room, "Two.")
    edits.rewind(alice.pk, room.pk, first.message_id)
    assert shown(room)[1:] == ["hi", "One."]
    assert answered(room, "Three.").position == first.position + 2


def test_a_running_answer_is_in_nobodys_way_of_losing_it(room: Room, alice: User) -> None:
    first = answered(room)
    running = accept_send(ask(room), "and?")
    assert code_of(lambda: edits.rewind(alice.pk, room.pk, first.message_id)) == "generation_running"
    assert code_of(lambda: edits.edit_message(alice.pk, room.pk, running.message_id, "x")) == "message_running"
    assert code_of(lambda: edits.select_variant(alice.pk, room.pk, running.message_id)) == "generation_running"


@pytest.mark.parametrize("change", ["select_variant", "edit_message", "rewind"])
def test_a_stranger_changes_nothing_and_learns_nothing(room: Room, change: str) -> None:
    charlie = make_user("charlie")
    accepted = answered(room)
    rest = ["x"] if change == "edit_message" else []
    call = getattr(edits, change)
    assert code_of(lambda: call(charlie.pk, room.pk, accepted.message_id, *rest)) == "room_not_found"
    assert code_of(lambda: call(charlie.pk, uuid.uuid4(), accepted.message_id, *rest)) == "room_not_found"
    assert shown(room)[-1] == "Hello."


@pytest.mark.parametrize("change", ["select_variant", "edit_message", "rewind"])
def test_a_message_of_another_room_is_not_found(room: Room, alice: User, change: str) -> None:
    theirs = answered(make_room(alice))
    rest = ["x"] if change == "edit_message" else []
    call = getattr(edits, change)
    assert code_of(lambda: call(alice.pk, room.pk, theirs.message_id, *rest)) == "message_not_found"


def test_every_change_moves_the_head_by_one(room: Room, alice: User) -> None:
    accepted = answered(room)
    head = Room.objects.get(pk=room.pk).head
    assert edits.edit_message(alice.pk, room.pk, accepted.message_id, "x") == head + 1
    assert edits.rewind(alice.pk, room.pk, accepted.message_id) == head + 2
    assert history.load_page(room)["head"] == head + 2
