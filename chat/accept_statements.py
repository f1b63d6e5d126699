"""The statements by which a turn is accepted: the room's lock, and the rows of a message and its answer.

Owns their SQL, for SQLite and Postgres alike. Decides nothing: what is refused is for `messages`.
"""
# ruff: noqa: S608 - tables and columns are our own names; what comes from outside is always a %s.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from chat.models import Character, Generation, Message, Room
from chat.statements import Rows, Statement, Told, columns, insert, insert_if, table, tell, uuid_of
from chat.turn_statements import said_before


@dataclass(frozen=True, slots=True)
class RoomRow:
    """What a turn needs of its room, named as on the model."""

    id: UUID
    character_id: int
    route_id: int | None
    language: str
    persona_name: str
    user_note: str
    prompt_version: int
    prompt_head: str
    prompt_head_tokens: int
    window_start: int
    next_position: int
    head: int
    character_slug: str
    character_route_id: int | None

    @classmethod
    def of(cls, room: Room) -> RoomRow:
        own = {name: getattr(room, name) for name in _ROOM_FIELDS}
        return cls(**own, character_slug=room.character.slug, character_route_id=room.character.route_id)


_OF_CHARACTER = ("character_slug", "character_route_id")
_ROOM_FIELDS = tuple(name for name in RoomRow.__dataclass_fields__ if name not in _OF_CHARACTER)

_OF_ITS_CHARACTER = ", ".join(
    f"(SELECT {name} FROM {table(Character)} c WHERE c.id = character_id)" for name in ("slug", "route_id")
)
_ROOM = f"""
    SELECT {columns(Room, _ROOM_FIELDS)}, {_OF_ITS_CHARACTER} FROM {table(Room)} WHERE id = %s AND owner_id = %s"""

# Each by an index of its own: asked with OR, Postgres looks at what runs for everybody.
_SAME_REQUEST = f"FROM {table(Generation)} WHERE user_id = %s AND request_id = %s"
_RUNS_FOR_USER = f"FROM {table(Generation)} WHERE user_id = %s AND status = 'running'"
_RUNS_IN_ROOM = f"FROM {table(Generation)} WHERE room_id = %s AND status = 'running'"
_IN_THE_WAY = f"SELECT request_id, room_id {_SAME_REQUEST} UNION SELECT request_id, room_id {_RUNS_FOR_USER}"


@dataclass(frozen=True, slots=True)
class Guard:
    """Asked with the room's lock, in the same trip; `check` gets the rows and raises ChatError."""

    statement: Statement
    check: Callable[[Rows], None]


def lock_room(
    room_id: UUID, user_id: int, request_id: str, guard: Guard | None = None
) -> tuple[RoomRow | None, list[tuple[str, UUID]]]:
    """The user's room under its lock, and (requestId, roomId) of what may stand in the new request's way.

    That is what runs for the user, and what had the same requestId. Raises what `guard` does, before all else.
    """
    # SQLite's IMMEDIATE transaction is the lock. Postgres looks at the generations once it has the room.
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    guards = [guard.statement] if guard else []
    *guarded, rooms, in_the_way = tell(
        *guards, (_ROOM + lock, [room_id, user_id]), (_IN_THE_WAY, [user_id, request_id, user_id])
    )
    if guard:
        guard.check(guarded[0].rows)
    return _room_of(rooms.rows), [(request, uuid_of(room)) for request, room in in_the_way.rows]


def _room_of(rows: Rows) -> RoomRow | None:
    return RoomRow(uuid_of(rows[0][0]), *rows[0][1:]) if rows else None


@dataclass(frozen=True, slots=True)
class Sending:
    """A message and its answer, to be written in whatever place the room has for them.

    Not unless the sender is signed in, owns the room, and has fewer than `running_most` answers under way, none of
    them here.
    """

    message: Message
    answer: Message
    generation: Generation
    running_most: int
    guard: Guard | None = None


# With it comes the room's lock. Who waited for that sees other tables as they were before: two that pass each other
# here are told apart by the constraints.
_TAKE_PLACES = f"""
    UPDATE {table(Room)} SET head = head + 1, active_at = %s, next_position = next_position + 2
    WHERE id = %s AND owner_id = %s AND NOT EXISTS (SELECT 1 {_SAME_REQUEST}) AND NOT EXISTS (SELECT 1 {_RUNS_IN_ROOM})
    AND (SELECT COUNT(*) {_RUNS_FOR_USER}) < %s"""

_TAKEN = f"RETURNING {columns(Room, _ROOM_FIELDS)}, {_OF_ITS_CHARACTER}"
#: Nobody else moves the room at this very microsecond: it was this message that did.
_MOVED_ROOM = f"FROM {table(Room)} r WHERE r.id = %s AND r.active_at = %s"
_OF_MESSAGE = f"FROM {table(Message)} m WHERE m.id = %s"

_SAID_IN_ROOM = f"""
    SELECT m.role, m.content, m.tokens, m.position FROM {table(Message)} m, {table(Room)} r
    WHERE r.id = %s AND m.room_id = r.id AND m.selected AND m.deleted_at IS NULL AND m.position >= r.window_start
    AND m.content <> '' ORDER BY m.position"""


def send(sending: Sending, now: datetime) -> list[Statement]:
    """All of a message's acceptance, for one trip and `sent`. The last of its transaction."""
    message, answer, generation = sending.message, sending.answer, sending.generation
    return [
        _take_places(sending, now),
        insert_if(message, (_MOVED_ROOM, [generation.room_id, now]), position="r.next_position - 2"),
        insert_if(answer, (_OF_MESSAGE, [message.pk]), position="m.position + 1"),
        insert_if(generation, (_OF_MESSAGE, [answer.pk])),
        (_SAID_IN_ROOM, [generation.room_id]),
    ]


def sent(told: Sequence[Told]) -> tuple[RoomRow, Rows] | None:
    """What came of `send`: the room as it was, and what was `said` as the model is to know it.

    None: something is in the way, which `lock_room` tells, and nothing was written.
    """
    taken, _, _, _, said = told
    room = _room_of(taken.rows)
    if room is None:
        return None
    return replace(room, head=room.head - 1, next_position=room.next_position - 2), said.rows


def _take_places(sending: Sending, now: datetime) -> Statement:
    of, most = sending.generation, sending.running_most
    values = [now, of.room_id, of.user_id, of.user_id, of.request_id, of.room_id, of.user_id, most]
    if sending.guard is None:
        return f"{_TAKE_PLACES} {_TAKEN}", values
    sql, guarded = sending.guard.statement
    return f"{_TAKE_PLACES} AND EXISTS ({sql}) {_TAKEN}", [*values, *guarded]


_MOVE_ROOM = f"""
    UPDATE {table(Room)} SET head = head + 1, active_at = %s, next_position = %s WHERE id = %s"""


def write_variant(
    answer: Message, generation: Generation, *, now: datetime, next_position: int, since: int
) -> Rows:
    """Another answer in its place, its generation, and the room moved on; returns what was `said` before it.

    The last of its transaction.
    """
    *_, found = tell(
        insert(answer),
        insert(generation),
        (_MOVE_ROOM, [now, next_position, generation.room_id]),
        said_before(generation.room_id, since=since, before=answer.position),
        is_last=True, prepares=True,
    )
    return found.rows
