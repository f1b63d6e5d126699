"""Acceptance: one transaction, idempotent, and refused with a code when it must be."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, connections, transaction

from chat.edits import rewind
from chat.errors import BadCommand, ChatError, NotFound, Refused
from chat.generations import Outcome, settle
from chat.messages import Accepted, Request, accept_continue, accept_regenerate, accept_send
from chat.models import Generation, Message, Room, User
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user("charlie")


@pytest.fixture
def room(alice: User) -> Room:
    return make_room(alice)


def ask(room: Room, user: User | None = None, rid: str | None = None) -> Request:
    return Request(
        user_id=(user or room.owner).pk, room_id=room.pk, request_id=rid or request_id(), path="stream", owner="me"
    )


def answer(accepted: Accepted, text: str = "Hello.", status: str = "done") -> None:
    assert settle(accepted.message_id, accepted.attempt, Outcome(status=status, text=text, last_seq=2))


def code_of(call: Any) -> str:
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def test_a_send_writes_the_users_message_the_answers_and_its_generation(room: Room) -> None:
    accepted = accept_send(ask(room), "hi")
    assert accepted.user_message_id is not None
    user_message = Message.objects.get(pk=accepted.user_message_id)
    reply = Message.objects.get(pk=accepted.message_id)
    assert (user_message.role, user_message.content, user_message.position) == ("user", "hi", 1)
    assert (reply.role, reply.position, reply.status, reply.reply_to_id) == ("character", 2, "writing", user_message.pk)
    generation = Generation.objects.get(pk=reply.pk)
    assert (generation.status, generation.attempt, generation.owner) == ("running", 1, "me")
    assert Room.objects.get(pk=room.pk).head == accepted.head == 1
    assert user_message.tokens > 0


def test_the_same_request_id_returns_the_first_result(room: Room) -> None:
    request = ask(room)
    first, second = accept_send(request, "hi"), accept_send(request, "hi")
    assert first.is_new
    assert not second.is_new
    assert (second.message_id, second.user_message_id) == (first.message_id, first.user_message_id)
    assert Message.objects.filter(room=room, role="user").count() == 1


def test_a_repeat_after_the_end_returns_the_first_result_too(room: Room) -> None:
    request = ask(room)
    first = accept_send(request, "hi")
    answer(first)
    second = accept_send(request, "hi")
    assert (second.is_new, second.message_id, second.status) == (False, first.message_id, "done")


def test_a_request_id_with_another_text_conflicts(room: Room) -> None:
    request = ask(room)
    accept_send(request, "hi")
    assert code_of(lambda: accept_send(request, "ho")) == "request_id_conflict"


def test_a_request_id_of_another_room_conflicts(room: Room, alice: User) -> None:
    other = make_room(alice)
    accept_send(ask(room, rid="same-request"), "hi")
    assert code_of(lambda: accept_send(ask(other, rid="same-request"), "hi")) == "request_id_conflict"


def test_the_same_request_id_of_two_users_is_two_requests(room: Room, charlie: User) -> None:
    theirs = make_room(charlie)
    assert accept_send(ask(room, rid="same-request"), "hi").is_new
    assert accept_send(ask(theirs, rid="same-request"), "hi").is_new


def test_a_second_send_while_one_answer_runs_is_refused(room: Room) -> None:
    accept_send(ask(room), "hi")
    assert code_of(lambda: accept_send(ask(room), "more")) == "generation_running"
    assert Message.objects.filter(room=room, role="user").count() == 1


def test_the_database_itself_allows_one_running_generation_a_room(room: Room) -> None:
    accepted = accept_send(ask(room), "hi")
    other = Message.objects.create(room=room, role="character", position=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        Generation.objects.create(
            message=other, room=room, user=room.owner, request_id=request_id(), request_digest="0", path="stream"
        )
    assert Generation.objects.get(room=room).pk == accepted.message_id


def test_generations_a_user_are_bounded(alice: User, settings: Any) -> None:
    settings.CHAT_GENERATIONS_PER_USER = 2
    for _ in range(2):
        accept_send(ask(make_room(alice)), "hi")
    assert code_of(lambda: accept_send(ask(make_room(alice)), "hi")) == "too_many_generations"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b\u2060", "\u3000"])
def test_a_text_of_nothing_is_refused(room: Room, text: str) -> None:
    assert code_of(lambda: accept_send(ask(room), text)) == "text_empty"


def test_a_text_over_the_limit_is_refused_and_one_at_it_is_not(room: Room) -> None:
    limit = settings.CHAT_MESSAGE_MAX_CHARS
    assert code_of(lambda: accept_send(ask(room), "가" * (limit + 1))) == "text_too_long"
    assert accept_send(ask(room), "가" * limit).is_new


def test_what_no_database_keeps_is_taken_out_of_the_text(room: Room) -> None:
    accept_send(ask(room), "a\x00b\ud800c")
    assert Message.objects.get(room=room, role="user").content == "abc"


def test_a_stranger_and_a_missing_room_look_the_same(room: Room, charlie: User) -> None:
    missing = Request(user_id=charlie.pk, room_id=uuid.uuid4(), request_id=request_id(), path="stream", owner="me")
    messages = []
    for request in (ask(room, charlie), missing):
        with pytest.raises(NotFound) as refused:
            accept_send(request, "hi")
        messages.append((refused.value.code, refused.value.message))
    assert messages[0] == messages[1]


def test_regenerating_makes_a_selected_sibling(room: Room) -> None:
    first = accept_send(ask(room), "hi")
    answer(first)
    second = accept_regenerate(ask(room), first.message_id)
    assert (second.position, second.reply_to, second.user_message_id) == (first.position, first.reply_to, None)
    selected = Message.objects.get(room=room, position=first.position, selected=True)
    assert selected.pk == second.message_id


def test_an_unanswered_message_of_the_user_can_be_answered_again(room: Room) -> None:
    first = accept_send(ask(room), "hi")
    answer(first)
    assert first.user_message_id is not None
    rewind(room.owner_id, room.pk, first.user_message_id)
    again = accept_regenerate(ask(room), first.user_message_id)
    assert (again.position, again.reply_to) == (first.position, first.user_message_id)


def test_only_the_newest_turn_can_be_regenerated(room: Room) -> None:
    first = accept_send(ask(room), "hi")
    answer(first)
    answer(accept_send(ask(room), "and"))
    assert code_of(lambda: accept_regenerate(ask(room), first.message_id)) == "not_last_message"


def test_a_greeting_cannot_be_regenerated(room: Room) -> None:
    greeting = Message.objects.get(room=room, position=0, selected=True)
    assert code_of(lambda: accept_regenerate(ask(room), greeting.pk)) == "not_regenerable"


def test_a_running_answer_can_be_neither_regenerated_nor_continued(room: Room) -> None:
    accepted = accept_send(ask(room), "hi")
    assert code_of(lambda: accept_regenerate(ask(room), accepted.message_id)) == "generation_running"
    assert code_of(lambda: accept_continue(ask(room), accepted.message_id)) == "generation_running"


def test_continuing_makes_a_variant_that_begins_with_the_text(room: Room) -> None:
    first = accept_send(ask(room), "hi")
    answer(first, "Once upon", "interrupted")
    second = accept_continue(ask(room), first.message_id)
    generation = Generation.objects.get(pk=second.message_id)
    assert second.prefix == generation.checkpoint_text == "Once upon"
    assert (generation.prefix_length, generation.checkpoint_seq) == (9, 1)


def test_nothing_can_be_continued_without_text(room: Room) -> None:
    first = accept_send(ask(room), "hi")
    answer(first, "", "failed")
    assert code_of(lambda: accept_continue(ask(room), first.message_id)) == "not_continuable"


def test_another_rooms_message_is_not_found(room: Room, alice: User) -> None:
    other = make_room(alice)
    theirs = accept_send(ask(other), "hi")
    answer(theirs)
    assert code_of(lambda: accept_regenerate(ask(room), theirs.message_id)) == "message_not_found"


def test_a_refused_turn_writes_nothing(room: Room) -> None:
    before = (Message.objects.count(), Generation.objects.count(), Room.objects.get(pk=room.pk).head)
    with pytest.raises(BadCommand):
        accept_send(ask(room), " ")
    with pytest.raises(Refused):
        accept_regenerate(ask(room), Message.objects.get(room=room, position=0, selected=True).pk)
    assert (Message.objects.count(), Generation.objects.count(), Room.objects.get(pk=room.pk).head) == before


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_once_is_one_answer(transactional_db: None) -> None:
    room = make_room(make_user("alice"))
    request, results = ask(room), []
    gate = threading.Barrier(4)

    def send() -> None:
        try:
            gate.wait()
            results.append(accept_send(request, "hi"))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert sum(result.is_new for result in results) == 1
    assert len({result.message_id for result in results}) == 1
    assert Generation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sends_at_once_are_one_answer_and_one_refusal(transactional_db: None) -> None:
    room = make_room(make_user("alice"))
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def send(text: str) -> None:
        try:
            gate.wait()
            outcomes.append("new" if accept_send(ask(room), text).is_new else "repeat")
        except ChatError as error:
            outcomes.append(error.code)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=send, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["generation_running", "new"]
    assert Message.objects.filter(room=room, role="user").count() == 1
    assert connection.vendor in ("sqlite", "postgresql")
