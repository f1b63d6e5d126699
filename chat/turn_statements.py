"""Every statement of a turn after its acceptance, from the card to the trace, for SQLite and Postgres alike.

Owns their SQL. Decides nothing: what is refused, and what a row means, is for `messages`, `generations`, `history`.
"""
# ruff: noqa: S608 - tables and columns are our own names; what comes from outside is always a %s.

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from chat.models import Card, Character, Generation, Message, ModelRoute, OutboxJob, Room, Trace
from chat.statements import Rows, Statement, Told, columns, insert, insert_if, insert_many, table, tell, uuid_of

_SAID = f"""
    SELECT role, content, tokens, position FROM {table(Message)}
    WHERE room_id = %s AND selected AND deleted_at IS NULL AND position >= %s AND position < %s AND content <> ''
    ORDER BY position"""


def said_before(room_id: UUID, *, since: int, before: int) -> Statement:
    """(role, content, tokens, position) of every selected message with text."""
    return _SAID, [room_id, since, before]


def said(room_id: UUID, *, since: int, before: int) -> Rows:
    return tell(said_before(room_id, since=since, before=before))[0].rows


_CARD = f"SELECT raw FROM {table(Card)} WHERE character_id = %s AND language = %s"


def card_of(character_id: int, language: str) -> Card | None:
    """The card with its `raw`, and nothing else of it."""
    cards = tell((_CARD, [character_id, language]))[0].rows
    return Card(raw=json.loads(cards[0][0])) if cards else None


_ROUTE_FIELDS = tuple(field.name for field in ModelRoute._meta.concrete_fields)
_ROUTES = f"SELECT {columns(ModelRoute, _ROUTE_FIELDS)} FROM {table(ModelRoute)} WHERE is_enabled ORDER BY sort, name"


def enabled_routes() -> list[ModelRoute]:
    """In the operator's order."""
    return [ModelRoute(**_route_values(row)) for row in tell((_ROUTES, []))[0].rows]


def _route_values(row: Sequence[Any]) -> dict[str, Any]:
    """SQLite tells a truth value as a number; JSON comes as text from both."""
    fields = zip(ModelRoute._meta.concrete_fields, row, strict=True)
    values = {field.name: field.to_python(value) for field, value in fields}
    return {**values, "options": json.loads(values["options"])}


def checkpoint(owner: str, texts: Sequence[tuple[UUID, str, int]]) -> int:
    """(messageId, text, seq) of every answer that still runs and is `owner`'s; returns how many were."""
    if connection.vendor == "sqlite":
        return tell(_checkpoint_by_cases(owner, texts))[0].touched
    # As one value: what is bound one by one costs a hundred times more than what is done with it.
    return tell((_CHECKPOINT, [msgspec.json.encode(texts).decode(), owner]), prepares=True)[0].touched


_CHECKPOINT = f"""
    UPDATE {table(Generation)} SET checkpoint_text = answer ->> 1, checkpoint_seq = (answer ->> 2)::int
    FROM jsonb_array_elements(%s::jsonb) AS told (answer)
    WHERE message_id = (answer ->> 0)::uuid AND owner = %s AND status = 'running'"""


def _checkpoint_by_cases(owner: str, texts: Sequence[tuple[UUID, str, int]]) -> Statement:
    whens = " ".join(["WHEN %s THEN %s"] * len(texts))
    sql = f"""
        UPDATE {table(Generation)}
        SET checkpoint_text = CASE message_id {whens} END, checkpoint_seq = CASE message_id {whens} END
        WHERE message_id IN ({", ".join(["%s"] * len(texts))}) AND owner = %s AND status = 'running'"""
    values: list[Any] = [value for pk, text, _ in texts for value in (pk, text)]
    values += [value for pk, _, seq in texts for value in (pk, seq)]
    return sql, [*values, *(pk for pk, _, _ in texts), owner]


_RUNNING = f"""
    SELECT message_id, attempt, owner FROM {table(Generation)}
    WHERE status = 'running' AND (owner <> %s OR created_at < %s)"""


def running(owner: str, before: datetime) -> list[tuple[UUID, int, str]]:
    """(messageId, attempt, owner) of every answer that runs; of `owner`'s own, those accepted before then."""
    rows = tell((_RUNNING, [owner, before]), prepares=True)[0].rows
    return [(uuid_of(message_id), attempt, other) for message_id, attempt, other in rows]


_OWNED = f"SELECT message_id, stop_length FROM {table(Generation)} WHERE owner = %s AND status = 'running'"


def owned(owner: str) -> list[tuple[UUID, int | None]]:
    """(messageId, where somebody wants it to end) of the owner's running answers."""
    rows = tell((_OWNED, [owner]), prepares=True)[0].rows
    return [(uuid_of(message_id), stop_length) for message_id, stop_length in rows]


_KNOWN = f"""
    SELECT known.user_id, known.request_id FROM jsonb_to_recordset(%s::jsonb) AS asked (user_id bigint, request_id text)
    JOIN {table(Generation)} known ON known.user_id = asked.user_id AND known.request_id = asked.request_id"""


def knowing(requests: Collection[tuple[int, str]]) -> Statement:
    """Tells those of these (userId, requestId) that have a generation; one request at least."""
    if connection.vendor == "sqlite":
        places = ", ".join(["(%s, %s)"] * len(requests))
        sql = f"SELECT user_id, request_id FROM {table(Generation)} WHERE (user_id, request_id) IN (VALUES {places})"
        return sql, [value for request in requests for value in request]
    asked = [{"user_id": user_id, "request_id": request_id} for user_id, request_id in requests]
    return _KNOWN, [msgspec.json.encode(asked).decode()]


#: What an end sets.
END_FIELDS = (
    "status", "last_seq", "finish_reason", "error_code", "prompt_tokens", "completion_tokens", "cached_tokens",
    "first_ms", "total_ms", "route_name", "model", "checkpoint_text", "ended_at",
)

_END = f"""
    UPDATE {table(Generation)} SET {columns(Generation, END_FIELDS, " = %s")}
    WHERE message_id = %s AND attempt = %s AND status = 'running'"""


#: Nobody else ends it at this very microsecond: it was this end that was written.
_ENDED = f"EXISTS (SELECT 1 FROM {table(Generation)} WHERE message_id = %s AND attempt = %s AND ended_at = %s)"
_END_MESSAGE = f"UPDATE {table(Message)} SET content = %s, tokens = %s, status = %s WHERE id = %s AND {_ENDED}"


@dataclass(frozen=True, slots=True)
class Window:
    """Where the room's prompts begin from now on; unless the room is past `head`."""

    room_id: UUID
    start: int
    head: int


_MOVE_WINDOW = f"UPDATE {table(Room)} SET window_start = %s WHERE id = %s AND head = %s"


def end_answer(
    message_id: UUID, attempt: int, end: dict[str, Any], job: OutboxJob, *, content: str, tokens: int, status: str,
    window: Window | None = None,
) -> list[Statement]:
    """Compare-and-set of `end`, which has all of END_FIELDS; the message and `job` (one of its kind) with it.

    `has_ended` tells whether this attempt still ran; if not, nothing of it was written. All of its transaction. The
    room comes first, as in every transaction that has a room and its answers: two never wait for each other.
    """
    ended = (message_id, attempt, end["ended_at"])
    moved = [(_MOVE_WINDOW, [window.start, window.room_id, window.head])] if window else []
    return [
        *moved,
        (_END, [*(end[name] for name in END_FIELDS), message_id, attempt]),
        (_END_MESSAGE, [content, tokens, status, message_id, *ended]),
        insert_if(job, (f"WHERE {_ENDED} ON CONFLICT DO NOTHING", ended)),
    ]


def has_ended(told: Sequence[Told]) -> bool:
    """What came of `end_answer`."""
    *_, generation, _, _ = told
    return generation.touched == 1


def release_jobs(message_ids: Sequence[UUID], now: datetime) -> list[int]:
    """The messages' untried jobs that were held back are due `now`; returns their ids."""
    places = ", ".join(["%s"] * len(message_ids))
    sql = f"""
        UPDATE {table(OutboxJob)} SET available_at = %s
        WHERE message_id IN ({places}) AND status = 'waiting' AND attempts = 0 AND available_at > %s RETURNING id"""
    return [job_id for (job_id,) in tell((sql, [now, *message_ids, now]))[0].rows]


_UTTERED = f"(SELECT COUNT(*) FROM {table(Message)} m WHERE m.room_id = r.id AND m.selected AND m.deleted_at IS NULL"
_STORY = f"""
    SELECT {columns(Room, ("id", "character", "title", "message_count"))},
        {_UTTERED} AND m.content <> ''), {_UTTERED} AND m.content <> '' AND m.tokens = 0)
    FROM {table(Room)} r WHERE id IN (SELECT room_id FROM {table(Message)} WHERE id IN (%s)) ORDER BY id"""


@dataclass(frozen=True, slots=True)
class Story:
    """How a room stands after an answer: `counted` is what it knows of, `said` and `without_tokens` what is there."""

    room_id: UUID
    character_id: int
    title: str
    counted: int
    said: int
    without_tokens: int


def stories_of(message_ids: Sequence[UUID]) -> list[Story]:
    """The messages' rooms, each once and in an order that all keep; without those that are gone."""
    sql = _STORY.replace("%s", ", ".join(["%s"] * len(message_ids)))
    rooms = tell((sql, message_ids), prepares=len(message_ids) == 1)[0].rows
    return [Story(uuid_of(room_id), *others) for room_id, *others in rooms]


_FIRST_WORDS = f"""
    SELECT content FROM {table(Message)} WHERE room_id = %s AND role = 'user' AND selected AND deleted_at IS NULL
    AND content <> '' ORDER BY position LIMIT 1"""


def first_words(room_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What each room's user said first; without rooms in which nobody did."""
    told = tell(*((_FIRST_WORDS, [room_id]) for room_id in room_ids), prepares=True)
    return {room_id: found.rows[0][0] for room_id, found in zip(room_ids, told, strict=True) if found.rows}


_NAME = f"UPDATE {table(Room)} SET title = %s, head = head + 1 WHERE id = %s AND title = ''"


def name_rooms(titles: Mapping[UUID, str]) -> None:
    """A title is visible, so the head moves with it; a room that was given one meanwhile keeps that."""
    tell(*((_NAME, [title, room_id]) for room_id, title in titles.items()), prepares=True)


_COUNT_SAID = f"UPDATE {table(Room)} SET message_count = %s WHERE id = %s AND message_count = %s"
_COUNT_TALK = f"""
    UPDATE {table(Character)} SET talk_count = CASE WHEN talk_count + %s > 0 THEN talk_count + %s ELSE 0 END
    WHERE id = %s"""


def count_said(stories: Sequence[Story]) -> list[UUID]:
    """A room's count is what was said, and its character's grows by as much; `stories` as `stories_of` orders them.

    Returns the rooms that somebody else has counted since: roll back. Characters come in one order, so that two who
    count never wait for each other.
    """
    more: dict[int, int] = {}
    for story in stories:
        more[story.character_id] = more.get(story.character_id, 0) + story.said - story.counted
    told = tell(
        *((_COUNT_SAID, [story.said, story.room_id, story.counted]) for story in stories),
        *((_COUNT_TALK, [added, added, character_id]) for character_id, added in sorted(more.items())),
        prepares=True,
    )
    return [story.room_id for story, room in zip(stories, told, strict=False) if room.touched != 1]


_TRACE_FIELDS = (
    "message", "kind", "path", "cohort", "stage", "attempt", "outcome", "error_code", "route_name", "resumes", "marks",
    "calls", "ttft_ms", "ttft_source", "completion_ms", "failure", "abandoned", "settled_at",
)
_TRACE_AGAIN = "ON CONFLICT (user_id, request_id) DO UPDATE SET " + ", ".join(
    f"{columns(Trace, [name])} = excluded.{columns(Trace, [name])}" for name in _TRACE_FIELDS
) + f""", mismatched = {table(Trace)}.mismatched OR excluded.mismatched, client_marks = CASE
    WHEN {table(Trace)}.client_marks = '{{}}' THEN excluded.client_marks ELSE {table(Trace)}.client_marks END"""
_TRACE_UNTOLD = f"""{_TRACE_AGAIN}
    WHERE {table(Trace)}.client_marks IN ('{{}}', excluded.client_marks) RETURNING user_id, request_id"""


def write_traces(traces: Sequence[Trace]) -> set[tuple[int, str]]:
    """The server's side; an older attempt's is replaced. Returns whose rows have other marks of the browser's, which
    it told through another process: they are as they were.

    Each request once; one trace at least.
    """
    written = tell(insert_many(traces, _TRACE_UNTOLD), prepares=True)[0].rows
    return {(trace.user_id, trace.request_id) for trace in traces} - {(user, request) for user, request in written}


def write_told_traces(traces: Sequence[Trace]) -> None:
    """As `write_traces`, beside the browser's other marks: figures of both must follow in the same transaction."""
    tell(insert_many(traces, _TRACE_AGAIN), prepares=True)


def make_trace(trace: Trace) -> None:
    """Unless there is one."""
    tell(insert(trace, ending="ON CONFLICT (user_id, request_id) DO NOTHING"))
