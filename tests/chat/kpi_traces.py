"""Traces by the hundred, as the product would have written them."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from chat.models import Room, Trace

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
