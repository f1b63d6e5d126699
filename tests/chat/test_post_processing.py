"""After a reply: title, counts, tokens; twice or late changes nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from chat import edits, outbox, turn_statements
from chat.models import Character, Message, Room
from chat.post_processing import JOBS, TITLE_MAX_CHARS, CountedMeanwhile, after_reply, title_of
from chat.tokens import count_tokens
from chat.turn_statements import Story
from tests.chat.answers import answered, job_of
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def state(room: Room) -> tuple[str, int, int, int]:
    """Title, count, head and the character's count."""
    room.refresh_from_db()
    talks = Character.objects.values_list("talk_count", flat=True).get(pk=room.character_id)
    return room.title, room.message_count, room.head, talks


def test_a_room_is_named_after_its_first_user_message_and_its_readers_notice(room: Room) -> None:
    message_id = answered(room, "*waves*  Good\nevening!")
    head = state(room)[2]
    after_reply(message_id)
    assert state(room) == ("waves Good evening!", 3, head + 1, 3)


def test_running_twice_changes_nothing(room: Room) -> None:
    message_id = answered(room)
    after_reply(message_id)
    once = state(room)
    after_reply(message_id)
    assert state(room) == once


def test_a_name_stays(room: Room) -> None:
    after_reply(answered(room, "First."))
    named = state(room)
    after_reply(answered(room, "Second."))
    assert state(room) == ("First.", 5, named[2] + 1, 5), "the head moved for the new turn only"


def test_jobs_may_come_in_any_order(room: Room) -> None:
    first, second = answered(room, "First."), answered(room, "Second.")
    after_reply(second)
    after_reply(first)
    assert (state(room)[0], state(room)[1], state(room)[3]) == ("First.", 5, 5)


def test_what_was_rewound_away_is_not_counted(room: Room) -> None:
    first = answered(room, "First.")
    last = answered(room, "Second.")
    after_reply(last)
    edits.rewind(room.owner_id, room.pk, first)
    after_reply(last)
    assert (state(room)[1], state(room)[3]) == (3, 3)


def test_a_characters_count_is_the_sum_of_its_rooms(room: Room) -> None:
    other = make_room(make_user("bob"))
    after_reply(answered(room))
    after_reply(answered(other))
    assert state(room)[3] == 6


def test_many_answers_are_seen_to_as_if_each_came_alone(room: Room) -> None:
    other = make_room(make_user("bob"))
    messages = [answered(room, "First."), answered(other, "Else."), answered(room, "Second."), uuid4()]
    after_reply(*messages)
    once = (state(room), state(other))
    assert [(title, said, talks) for title, said, _, talks in once] == [("First.", 5, 8), ("Else.", 3, 8)]
    after_reply(*messages)
    assert (state(room), state(other)) == once


def test_who_counts_a_room_meanwhile_is_noticed_and_nothing_is_counted_twice(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_room(make_user("bob"))
    mine, theirs = answered(room), answered(other)
    look = turn_statements.stories_of

    def look_early(message_ids: Sequence[UUID]) -> list[Story]:
        monkeypatch.setattr(turn_statements, "stories_of", look)
        stories = look(message_ids)
        after_reply(theirs)
        return stories

    monkeypatch.setattr(turn_statements, "stories_of", look_early)
    with pytest.raises(CountedMeanwhile, match=str(other.pk)):
        after_reply(mine, theirs)
    assert state(room)[3] == 3, "the other's three, and of this room nothing yet"
    after_reply(mine)
    assert state(room)[3] == 6


def test_many_of_a_kind_are_done_in_one_call_and_one_by_one_where_that_fails(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = answered(room), answered(room)
    outbox.release(good, bad)
    called: list[tuple[UUID, ...]] = []

    def fail_for_one(*message_ids: UUID) -> None:
        called.append(message_ids)
        if bad in message_ids:
            raise RuntimeError("no luck today")

    monkeypatch.setitem(JOBS, "after_reply", fail_for_one)
    assert outbox.drain() == 2
    assert sorted(called[0]) == sorted([good, bad])
    assert sorted(called[1:]) == sorted([(good,), (bad,)])
    assert (job_of(good).status, job_of(bad).status) == ("done", "waiting")
    assert "no luck today" in job_of(bad).last_error


def test_a_characters_count_never_falls_below_nothing(room: Room) -> None:
    message_id = answered(room)
    after_reply(message_id)
    Character.objects.update(talk_count=1)
    Message.objects.filter(room=room, position__gt=0).update(deleted_at=timezone.now())
    after_reply(message_id)
    assert (state(room)[1], state(room)[3]) == (1, 0)


def test_a_failed_answer_is_no_message(room: Room) -> None:
    after_reply(answered(room, reply="", status="failed"))
    assert state(room)[1] == 2


def test_tokens_that_nobody_counted_are_counted(room: Room) -> None:
    message_id = answered(room)
    Message.objects.filter(room=room).update(tokens=0)
    after_reply(message_id)
    for message in Message.objects.filter(room=room, selected=True):
        assert message.tokens == count_tokens(message.content) > 0


def test_tokens_that_were_counted_stay(room: Room) -> None:
    message_id = answered(room)
    Message.objects.filter(pk=message_id).update(tokens=77)
    after_reply(message_id)
    assert Message.objects.get(pk=message_id).tokens == 77


def test_a_message_that_has_gone_is_no_error(room: Room) -> None:
    after_reply(uuid4())
    assert state(room)[1] == 0


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  a\n\tb  ", "a b"), ("**bold** *act*", "bold act"), ("***", ""),
        ("가" * TITLE_MAX_CHARS, "가" * TITLE_MAX_CHARS),
    ],
)
def test_a_title_is_one_short_line(text: str, title: str) -> None:
    assert title_of(text) == title


def test_a_long_title_says_that_it_goes_on() -> None:
    title = title_of("word " * 50)
    assert len(title) <= TITLE_MAX_CHARS
    assert title.endswith("…")
