"""Whom the lines of a context are about: `requestId roomId userId characterId path`, as far as they are known.

One variable of the context, not structlog's one for each: every answer binds five, twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any
from uuid import UUID

_who: ContextVar[Mapping[str, Any]] = ContextVar("who", default=MappingProxyType({}))


def who_of(request_id: str, room_id: UUID, user_id: int, character_id: str, path: str) -> dict[str, Any]:
    """All five, of one request."""
    return {
        "requestId": request_id, "roomId": str(room_id), "userId": user_id, "characterId": character_id, "path": path,
    }


def bind_who(who: Mapping[str, Any]) -> None:
    """All that is known, in the place of what was said before."""
    _who.set(who)


@contextmanager
def known_too(who: Mapping[str, Any]) -> Iterator[None]:
    """This as well, within."""
    token = _who.set({**_who.get(), **who})
    try:
        yield
    finally:
        _who.reset(token)


def spread_who(logger: Any, name: str, event: Any) -> Any:
    """structlog's processor; what the line itself says comes last."""
    return {**_who.get(), **event}
