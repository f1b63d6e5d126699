"""Traces by the hundred, as the product would have written them."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection

from chat.models import Room, Trace
from chat.statements import columns, table

_numbers = count(1)


def trace(room: Room, at: datetime, **fields: Any) -> Trace:
    return traces(room, at, [fields])[0]


def traces(room: Room, at: datetime, each: list[dict[str, Any]]) -> list[Trace]:
    """One for each dictionary of fields, all at that moment."""
    common: dict[str, Any] = {
        "user": room.owner, "room": room, "character": room.character, "path": "stream", "cohort": "stream",
        "outcome": "done", "kind": "reply",
    }
    made = Trace.objects.bulk_create(
        [Trace(**{**common, "request_id": f"kpi-{next(_numbers)}", **fields}) for fields in each]
    )
    Trace.objects.filter(pk__in=[one.pk for one in made]).update(created_at=at, settled_at=at)
    return made


def many(room: Room, at: datetime, number: int, **fields: Any) -> None:
    """`number` alike, without an object for each."""
    first = trace(room, at, **fields)
    names = [field.name for field in Trace._meta.concrete_fields]
    alike = columns(Trace, [name for name in names if name not in ("id", "request_id")])
    new_id = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {table(Trace)} (id, request_id, {alike})
            WITH RECURSIVE copies(copy) AS (SELECT 2 UNION ALL SELECT copy + 1 FROM copies WHERE copy < %s)
            SELECT {new_id}, request_id || '-' || copy, {alike} FROM {table(Trace)}, copies
            WHERE request_id = %s AND copy <= %s""",  # noqa: S608 - our own names
            [number, first.request_id, number],
        )
