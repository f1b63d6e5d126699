"""The statements by which a turn is accepted: the room's lock, and the rows of a message and its answer.

Owns their SQL, for SQLite and Postgres alike. Decides nothing: what is refused is for `messages`.
"""
# ruff: noqa: S608 - tables and columns are our own names; what comes from outside is always a %s.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

_ROOM = f"""
    SELECT {columns(Room, _ROOM_FIELDS)}, (SELECT slug FROM {table(Character)} c WHERE c.id = character_id),
        (SELECT route_id FROM {table(Character)} c WHERE c.id = character_id)
    FROM {table(Room)} WHERE id = %s AND owner_id = %s"""

_IN_THE_WAY = f"""
    SELECT request_id, room_id FROM {table(Generation)}
    WHERE user_id = %s AND (request_id = %s OR status = 'running')"""


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
    return _answered(tell(*_questions(room_id, user_id, request_id, guard)), guard)


def _questions(room_id: UUID, user_id: int, request_id: str, guard: Guard | None) -> list[Statement]:
    # SQLite's IMMEDIATE transaction is the lock. Postgres looks at the generations once it has the room.
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    guards = [guard.statement] if guard else []
    return [*guards, (_ROOM + lock, [room_id, user_id]), (_IN_THE_WAY, [user_id, request_id])]


def _answered(told: Sequence[Told], guard: Guard | None) -> tuple[RoomRow | None, list[tuple[str, UUID]]]:
    *guarded, rooms, in_the_way = told
    if guard:
        guard.check(guarded[0].rows)
    room = RoomRow(uuid_of(rooms.rows[0][0]), *rooms.rows[0][1:]) if rooms.rows else None
    return room, [(request, uuid_of(room_id)) for request, room_id in in_the_way.rows]


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


@dataclass(frozen=True, slots=True)
class Sent:
    """As `lock_room` tells it; `said` as the model is to know it, empty when nothing was written."""

    room: RoomRow | None
    in_the_way: list[tuple[str, UUID]]
    said: Rows
    is_written: bool


_FREE_ROOM = f"""
    FROM {table(Room)} r WHERE r.id = %s AND r.owner_id = %s
    AND NOT EXISTS (SELECT 1 FROM {table(Generation)} WHERE user_id = %s
        AND (request_id = %s OR (status = 'running' AND room_id = %s)))
    AND (SELECT COUNT(*) FROM {table(Generation)} WHERE user_id = %s AND status = 'running') < %s"""

_OF_MESSAGE = f"FROM {table(Message)} m WHERE m.id = %s"

_MOVE_ON = f"""
    UPDATE {table(Room)} SET head = head + 1, active_at = %s, next_position = next_position + 2
    WHERE id = %s AND EXISTS (SELECT 1 {_OF_MESSAGE})"""

_SAID_IN_ROOM = f"""
    SELECT m.role, m.content, m.tokens, m.position FROM {table(Message)} m, {table(Room)} r
    WHERE r.id = %s AND m.room_id = r.id AND m.selected AND m.deleted_at IS NULL AND m.position >= r.window_start
    AND m.content <> '' ORDER BY m.position"""


def send(sending: Sending, now: datetime) -> Sent:
    """All of a message's acceptance as one trip: the questions, and the rows if nothing is in the way.

    The last of its transaction. Raises what the guard does; then nothing was written.
    """
    generation, message = sending.generation, sending.message
    room_id, user_id, request_id = generation.room_id, generation.user_id, generation.request_id
    asked = _questions(room_id, user_id, request_id, sending.guard)
    free, values = _FREE_ROOM, [room_id, user_id, user_id, request_id, room_id, user_id, sending.running_most]
    if sending.guard:
        sql, guarded = sending.guard.statement
        free, values = f"{free} AND EXISTS ({sql})", [*values, *guarded]
    *answers, written, _, _, _, said = tell(
        *asked,
        insert_if(message, (free, values), position="r.next_position"),
        insert_if(sending.answer, (_OF_MESSAGE, [message.pk]), position="m.position + 1"),
        insert_if(generation, (_OF_MESSAGE, [sending.answer.pk])),
        (_MOVE_ON, [now, room_id, message.pk]),
        (_SAID_IN_ROOM, [room_id]),
        is_last=True, prepares=True,
    )
    room, in_the_way = _answered(answers, sending.guard)
    return Sent(room, in_the_way, said.rows, is_written=written.touched == 1)


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
