"""What is written by hand is what the ORM would have written, and read, on SQLite as on Postgres."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from chat import accept_statements, turn_statements
from chat.accept_statements import RoomRow
from chat.generations import Outcome, settle
from chat.messages import Request, accept_send
from chat.models import Card, Generation, Message, ModelRoute, OutboxJob, Room, Trace, User
from chat.statements import Statement, brief_transaction, columns, insert, insert_many, new, tell, uuid_of
from chat.turn_statements import END_FIELDS
from tests.chat.answers import answered, write_trace
from tests.people import make_room, make_route, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]

NOW = datetime(2031, 5, 4, 3, 2, 1, 987654, UTC)
#: What SQL, its placeholders and JSON each treat as their own.
ODD = """50 % of %s; 'DROP' "TABLE" -- \\ {x} ? $1 안녕 🕯"""


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def a_message(room: Room) -> Message:
    return Message(room=room, role=Message.Role.USER, position=7, content=ODD, tokens=3)


def a_generation(room: Room) -> Generation:
    message = Message.objects.create(room=room, role="character", position=8)
    return Generation(
        message=message, room=room, user=room.owner, request_id="r", request_digest="0", kind=Generation.Kind.CONTINUE,
        path="stream", owner="me", checkpoint_text=ODD, first_ms=0.1,
    )


def a_job(room: Room) -> OutboxJob:
    message = Message.objects.create(room=room, role="character", position=8)
    return OutboxJob(kind=ODD[:40], message=message, available_at=NOW)


def a_trace(room: Room) -> Trace:
    return Trace(
        request_id="r", user=room.owner, room=room, character=room.character, path="sse", marks={ODD: 1.5, "a": [None]}
    )


@pytest.mark.parametrize("written", [insert, lambda row: insert_many([row])], ids=["alone", "with_others"])
@pytest.mark.parametrize("make", [a_message, a_generation, a_job, a_trace])
def test_a_row_written_by_hand_is_the_row_the_orm_writes(room: Room, make: Any, written: Any) -> None:
    row: Model = make(room)
    rows = type(row)._default_manager
    with patch.object(timezone, "now", lambda: NOW):
        rows.bulk_create([row])
        by_orm = rows.values().get(created_at=NOW)
        rows.filter(created_at=NOW).delete()
        tell(written(row))
    by_hand = rows.values().get(created_at=NOW)
    # Their numbers, and its time, are the database's own.
    own = {OutboxJob: "id", Trace: "settled_at"}.get(type(row))
    if own:
        assert by_hand[own]
        by_hand[own] = by_orm[own]
    assert by_hand == by_orm


@pytest.mark.parametrize("model", [Message, Generation, OutboxJob, Trace])
def test_a_new_row_is_as_django_makes_it(model: type[Model]) -> None:
    key = {"message_id" if model is Generation else "id": uuid4()}
    by_hand, by_django = new(model, **key), model(**key)
    assert by_hand.__dict__ | {"_state": None} == by_django.__dict__ | {"_state": None}
    assert (by_hand.pk, by_hand._state.adding) == (by_django.pk, True)
    if model in (Message, Trace):
        assert new(model).pk != new(model).pk
    with pytest.raises(AssertionError, match="no_such_column"):
        new(model, no_such_column=1)


def test_several_statements_are_told_in_order_and_each_has_its_answer(room: Room) -> None:
    title = "UPDATE chat_room SET title = %s WHERE id = %s"
    read = ("SELECT title, id FROM chat_room WHERE id = %s", [room.pk])
    before, written, after = tell(read, (title, [ODD, room.pk]), read)
    assert before.rows != after.rows
    assert written == (1, [])
    assert (after.rows[0][0], uuid_of(after.rows[0][1])) == (ODD, room.pk)


def test_of_several_statements_none_remains_when_one_fails(room: Room) -> None:
    count = Message.objects.count()
    good, bad = a_message(room), Message(room=room, role="narrator", position=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        tell(insert(good), insert(bad))
    assert Message.objects.count() == count


@pytest.mark.django_db(transaction=True)
def test_a_brief_transaction_is_whole_or_not_at_all() -> None:
    room = make_room(make_user("alice"))
    good, bad = a_message(room), Message(room=room, role="narrator", position=9)
    with pytest.raises(IntegrityError):
        in_brief(insert(good), insert(bad))
    assert not Message.objects.filter(pk=good.pk).exists()
    with brief_transaction():
        tell(insert(good))
    assert Message.objects.filter(pk=good.pk).exists(), "committed without a last statement too"
    with pytest.raises(ZeroDivisionError):
        change_and_fail(good)
    assert Message.objects.get(pk=good.pk).content == ODD


def in_brief(*statements: Statement) -> None:
    """The last of them is the transaction's last."""
    with brief_transaction():
        for statement in statements:
            tell(statement, is_last=statement is statements[-1])


def change_and_fail(message: Message) -> None:
    with brief_transaction():
        tell(("UPDATE chat_message SET content = %s WHERE id = %s", ["other", message.pk]))
        raise ZeroDivisionError


def test_a_column_that_is_no_more_is_noticed() -> None:
    with pytest.raises(FieldDoesNotExist):
        columns(Room, ["head", "tail"])


def test_the_locked_room_is_the_room(room: Room) -> None:
    room.route = ModelRoute.objects.create(name="one")
    room.user_note, room.window_start, room.head = ODD, 3, 2**40
    room.save()
    found, _ = accept_statements.lock_room(room.pk, room.owner_id, "r")
    assert found == RoomRow.of(room)
    assert found.id == room.pk


def test_nobody_elses_room_is_found_and_nobody_elses_answers(room: Room) -> None:
    charlie = make_user("charlie")
    theirs = make_room(charlie)
    accept_send(ask(theirs, charlie, "same-request"), "hi")
    assert accept_statements.lock_room(room.pk, charlie.pk, "r")[0] is None
    assert accept_statements.lock_room(room.pk, room.owner_id, "same-request")[1] == []


def test_in_the_way_is_what_runs_and_what_had_this_request_id(room: Room) -> None:
    answered(room)
    done = Generation.objects.get().request_id
    running = make_room(room.owner)
    accept_send(ask(running, room.owner, "still-running"), "hi")
    _, found = accept_statements.lock_room(room.pk, room.owner_id, done)
    assert sorted(found) == sorted([(done, room.pk), ("still-running", running.pk)])
    _, found = accept_statements.lock_room(room.pk, room.owner_id, "a-new-one")
    assert found == [("still-running", running.pk)]


def test_the_routes_are_the_orms_in_the_operators_order(room: Room) -> None:
    make_route(name="b", sort=2, can_prefill=True, options={ODD: [1, None]})
    make_route(name="a", sort=2, gap_seconds=0.5)
    make_route(name="z", sort=1, api_key_env="KEY", is_from_environment=True)
    make_route(name="off", is_enabled=False)
    assert [vars_of(route) for route in turn_statements.enabled_routes()] == [
        vars_of(route) for route in ModelRoute.objects.filter(is_enabled=True)
    ]


def vars_of(route: ModelRoute) -> dict[str, Any]:
    return {name: (type(value), value) for name, value in vars(route).items() if name != "_state"}


def test_a_card_is_the_characters_in_this_language(room: Room) -> None:
    card = turn_statements.card_of(room.character_id, "en")
    assert card is not None
    assert card.data == Card.objects.get().data
    assert turn_statements.card_of(room.character_id, "ko") is None


def test_an_end_keeps_all_that_is_known_of_it(room: Room) -> None:
    accepted = accept_send(ask(room, room.owner, request_id()), "hi")
    outcome = Outcome(
        status="interrupted", text=ODD, last_seq=11, finish_reason="length", error_code="provider_lost",
        prompt_tokens=1, completion_tokens=2, cached_tokens=3, first_ms=4.5, total_ms=6.25, route_name="r", model="m",
    )
    assert settle(accepted.message_id, 1, outcome)
    generation = Generation.objects.get()
    assert {name: getattr(generation, name) for name in asdict(outcome) if name != "text"} == {
        name: value for name, value in asdict(outcome).items() if name != "text"
    }
    assert Message.objects.get(pk=accepted.message_id).content == ODD
    assert generation.ended_at is not None


def test_no_part_of_an_outcome_is_forgotten() -> None:
    assert {field.name for field in fields(Outcome)} - {"text"} < set(END_FIELDS)


def test_a_later_attempts_trace_replaces_the_servers_part_only(room: Room) -> None:
    trace = a_trace(room)
    trace.client_marks = {"click": 0}
    write_trace(trace)
    again = a_trace(room)
    again.attempt, again.outcome, again.marks, again.client_marks = 2, "done", {"b": 1}, {}
    write_trace(again)
    found = Trace.objects.get()
    assert (found.pk, found.attempt, found.outcome, found.marks) == (trace.pk, 2, "done", {"b": 1})
    assert found.client_marks == {"click": 0}


def test_an_end_that_comes_again_has_one_job_and_a_stale_one_writes_nothing(room: Room) -> None:
    message_id = accept_send(ask(room, room.owner, request_id()), "hi").message_id
    for text in ("Hello.", ODD):
        Generation.objects.update(status=Generation.Status.RUNNING)
        assert settle(message_id, 1, Outcome(status="done", text=text, last_seq=2))
    Generation.objects.update(status=Generation.Status.RUNNING)
    assert not settle(message_id, 2, Outcome(status="done", text="Not mine.", last_seq=2))
    assert OutboxJob.objects.count() == 1
    assert Message.objects.get(pk=message_id).content == ODD


def ask(room: Room, user: User, rid: str) -> Request:
    return Request(user_id=user.pk, room_id=room.pk, request_id=rid, path="stream", owner="me")
