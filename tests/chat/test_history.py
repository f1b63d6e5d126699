"""Pages of a room: newest first loaded, ascending shown, one consistent position for what is being written."""

from __future__ import annotations

import uuid
from zlib import crc32

import pytest

from chat import generations, history, rooms
from chat.errors import ChatError, NotFound
from chat.generations import Outcome
from chat.messages import Accepted, Request, accept_send
from chat.models import Message, Persona, Room
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def send(room: Room, text: str = "hi") -> Accepted:
    return accept_send(
        Request(user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner="me"), text
    )


def answered(room: Room, text: str) -> Accepted:
    accepted = send(room)
    generations.settle(
        accepted.message_id, 1, Outcome(status="done", text=text, last_seq=4, finish_reason="stop")
    )
    return accepted


def test_a_new_room_shows_the_chosen_greeting_with_names_resolved(room: Room) -> None:
    Persona.objects.create(user=room.owner, name="Ari")
    named = rooms.create_room(user=room.owner, character_slug="mina", greeting=0, language="en")
    (greeting,) = history.load_page(named)["messages"]
    assert greeting["text"] == '*She looks up.* "You came, Ari."'
    assert len(greeting["variants"]) == 2
    assert greeting["variantIndex"] == 0
    assert named.prompt_head
    assert named.prompt_head_tokens > 0


def test_a_greeting_that_does_not_exist_is_refused(room: Room) -> None:
    with pytest.raises(ChatError) as refused:
        rooms.create_room(user=room.owner, character_slug="mina", greeting=7, language="en")
    assert refused.value.code == "invalid_fields"


def test_a_character_that_does_not_exist_or_is_unpublished_is_not_found(room: Room) -> None:
    room.character.is_published = False
    room.character.save()
    for slug in ("nobody", "mina"):
        with pytest.raises(NotFound) as refused:
            rooms.create_room(user=room.owner, character_slug=slug, greeting=0, language="en")
        assert refused.value.code == "character_not_found"


def test_a_character_without_a_card_in_the_language_speaks_the_one_it_has(room: Room) -> None:
    (shown,) = rooms.list_characters("ko")
    assert (shown["name"], shown["tagline"], shown["intro"]) == ("Mina", "She waits.", "A keeper.")


def test_pages_go_back_from_the_newest_and_end(room: Room) -> None:
    for number in range(4):
        answered(room, f"{number}.")
    newest = history.load_page(room, limit=3)
    assert [message["position"] for message in newest["messages"]] == [6, 7, 8]
    assert newest["hasMore"]
    rest = history.load_page(room, before=6, limit=100)
    assert [message["position"] for message in rest["messages"]] == [0, 1, 2, 3, 4, 5]
    assert not rest["hasMore"]


def test_what_is_being_written_is_shown_at_its_checkpoint(room: Room) -> None:
    accepted = send(room)
    generations.checkpoint("me", [(accepted.message_id, "안녕 👋", 3)])
    view = history.load_page(room)["messages"][-1]
    assert (view["status"], view["text"], view["length"]) == ("writing", "안녕 👋", 4)
    assert (view["seq"], view["attempt"]) == (3, 1)
    assert view["checksum"] == f"{crc32('안녕 👋'.encode()):08x}"


def test_an_ended_answer_tells_its_last_seq_and_how_it_ended(room: Room) -> None:
    accepted = answered(room, "Hello.")
    view = history.load_message(room.owner_id, accepted.message_id)
    assert (view["status"], view["seq"], view["finishReason"], view["requestId"]) == (
        "complete", 4, "stop", accepted.request_id
    )


def test_a_strangers_message_and_a_missing_one_look_the_same(room: Room) -> None:
    charlie = make_user("charlie")
    accepted = answered(room, "Hello.")
    for message_id in (accepted.message_id, uuid.uuid4()):
        with pytest.raises(NotFound) as refused:
            history.load_message(charlie.pk, message_id)
        assert (refused.value.code, refused.value.message) == ("message_not_found", "There is no such message.")


def test_a_page_costs_a_bounded_number_of_queries(room: Room, django_assert_max_num_queries: object) -> None:
    for number in range(5):
        answered(room, f"{number}.")
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        history.load_page(room)


def test_the_prompt_sees_selected_messages_with_text_before_the_answer(room: Room) -> None:
    answered(room, "One.")
    accepted = send(room, "two?")
    turns = history.prompt_turns(room.pk, before=accepted.position)
    assert [(turn.role, turn.text) for turn in turns] == [
        ("assistant", '*She looks up.* "You came, Traveler."'), ("user", "hi"), ("assistant", "One."), ("user", "two?"),
    ]
    assert [turn.position for turn in history.prompt_turns(room.pk, before=accepted.position, window_start=2)] == [2, 3]


def test_rooms_are_listed_to_their_owner_only_newest_first(room: Room) -> None:
    second = make_room(room.owner)
    answered(second, "Two.")
    send(second)
    listed = rooms.list_rooms(room.owner)
    assert [entry["roomId"] for entry in listed] == [str(second.pk), str(room.pk)]
    assert (listed[0]["running"], listed[1]["running"]) == (True, False)
    assert listed[0]["lastText"] == "hi"
    assert rooms.list_rooms(make_user("charlie")) == []


def test_rewound_messages_are_gone_from_every_read(room: Room) -> None:
    accepted = answered(room, "One.")
    Message.objects.filter(pk=accepted.message_id).update(deleted_at="2026-01-01T00:00:00Z")
    assert [message["text"] for message in history.load_page(room)["messages"]][1:] == ["hi"]
    with pytest.raises(NotFound):
        history.load_message(room.owner_id, accepted.message_id)
