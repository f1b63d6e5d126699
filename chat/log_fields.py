"""Whom the lines of a context are about: `requestId roomId userId characterId path`, as far as they are known.

One value, `who`: each key of a context costs by itself, and every answer binds five.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog


def who_of(request_id: str, room_id: UUID, user_id: int, character_id: str, path: str) -> dict[str, Any]:
    """All five, of one request."""
    return {
        "requestId": request_id, "roomId": str(room_id), "userId": user_id, "characterId": character_id, "path": path,
    }


def bind_who(who: Mapping[str, Any]) -> None:
    """All that is known, in the place of what was said before."""
    structlog.contextvars.bind_contextvars(who=who)


def spread_who(logger: Any, name: str, event: Any) -> Any:
    """structlog's processor, after `merge_contextvars`; what the line itself says comes last."""
    return {**event.pop("who", {}), **event}
