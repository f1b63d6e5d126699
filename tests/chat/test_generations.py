"""Checkpoint, settle, claim: compare-and-set, whoever comes late writes nothing."""

from __future__ import annotations

import pytest

from chat import generations
from chat.generations import Outcome
from chat.messages import Accepted, Request, accept_send
from chat.models import Generation, Message, OutboxJob, Room
from chat.turn_statements import Window
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def accepted(db: None) -> Accepted:
    room = make_room(make_user("alice"))
    return accept(room)


def accept(room: Room, owner: str = "me") -> Accepted:
    return accept_send(
        Request(user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner=owner), "hi"
    )


def outcome(text: str = "Hello.", status: str = "done") -> Outcome:
    return Outcome(status=status, text=text, last_seq=3, finish_reason="stop", completion_tokens=2)


def test_settling_writes_the_text_the_end_and_one_outbox_row(accepted: Accepted) -> None:
    assert generations.settle(accepted.message_id, 1, outcome())
    message = Message.objects.select_related("generation").get(pk=accepted.message_id)
    assert (message.content, message.status, message.generation.status) == ("Hello.", "complete", "done")
    assert message.tokens > 0
    assert message.generation.last_seq == 3
    assert OutboxJob.objects.filter(message=message, kind="after_reply").count() == 1


def test_settling_twice_writes_once(accepted: Accepted) -> None:
    assert generations.settle(accepted.message_id, 1, outcome())
    assert not generations.settle(accepted.message_id, 1, outcome("Other."))
    assert Message.objects.get(pk=accepted.message_id).content == "Hello."
    assert OutboxJob.objects.count() == 1


def test_an_older_attempt_cannot_settle(accepted: Accepted) -> None:
    assert generations.claim(accepted.message_id, 1, "other") is not None
    assert not generations.settle(accepted.message_id, 1, outcome())
    assert generations.settle(accepted.message_id, 2, outcome("Theirs."))
    assert Message.objects.get(pk=accepted.message_id).content == "Theirs."


@pytest.mark.parametrize(("moved_on", "start"), [(0, 2), (1, 0)])
def test_the_window_moves_with_the_end_unless_the_room_has_moved_on(
    accepted: Accepted, moved_on: int, start: int
) -> None:
    room = accepted.room
    window = Window(room.id, 2, accepted.head - moved_on)
    assert generations.settle(accepted.message_id, 1, outcome(), window)
    assert Room.objects.get(pk=room.id).window_start == start
    assert Generation.objects.get(pk=accepted.message_id).status == "done"


@pytest.mark.parametrize(
    ("ended", "shown"),
    [("done", "complete"), ("stopped", "stopped"), ("interrupted", "interrupted"), ("failed", "failed")],
)
def test_every_ending_has_its_message_status(accepted: Accepted, ended: str, shown: str) -> None:
    assert generations.settle(accepted.message_id, 1, outcome(status=ended))
    assert Message.objects.get(pk=accepted.message_id).status == shown


def test_a_checkpoint_of_many_answers_is_one_statement(
    accepted: Accepted, django_assert_num_queries: object
) -> None:
    other = accept(make_room(make_user("bob")))
    with django_assert_num_queries(1):  # type: ignore[operator]
        written = generations.checkpoint("me", [(accepted.message_id, "He", 1), (other.message_id, "안녕", 4)])
    assert written == 2
    rows = Generation.objects.in_bulk([accepted.message_id, other.message_id])
    assert (rows[accepted.message_id].checkpoint_text, rows[accepted.message_id].checkpoint_seq) == ("He", 1)
    assert (rows[other.message_id].checkpoint_text, rows[other.message_id].checkpoint_seq) == ("안녕", 4)


def test_a_checkpoint_writes_nothing_over_another_owner_or_an_ended_answer(accepted: Accepted) -> None:
    other = accept(make_room(make_user("bob")))
    generations.claim(accepted.message_id, 1, "new owner")
    generations.settle(other.message_id, 1, outcome())
    assert generations.checkpoint("me", [(accepted.message_id, "He", 1), (other.message_id, "x", 1)]) == 0
    assert Generation.objects.get(pk=accepted.message_id).checkpoint_text == ""


def test_claiming_raises_the_attempt_and_only_one_wins(accepted: Accepted) -> None:
    first = generations.claim(accepted.message_id, 1, "one")
    assert first is not None
    assert (first.attempt, first.owner) == (2, "one")
    assert generations.claim(accepted.message_id, 1, "two") is None


def test_an_ended_answer_cannot_be_claimed(accepted: Accepted) -> None:
    generations.settle(accepted.message_id, 1, outcome())
    assert generations.claim(accepted.message_id, 1, "other") is None


def test_a_lease_lives_until_it_expires_or_is_dropped(db: None) -> None:
    generations.renew_lease("a", seconds=5)
    generations.renew_lease("b", seconds=5)
    generations.renew_lease("b", seconds=-1)
    assert generations.live_owners(seconds=5) == {"a"}
    generations.drop_lease("a")
    assert generations.live_owners(seconds=5) == set()


def test_a_lease_from_before_the_clock_jumped_back_proves_nothing(db: None) -> None:
    generations.renew_lease("a", seconds=3600)
    assert generations.live_owners(seconds=5) == set()
    generations.renew_lease("a", seconds=5)
    assert generations.live_owners(seconds=5) == {"a"}
