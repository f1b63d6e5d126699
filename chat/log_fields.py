"""Whom the lines of a context are about: `requestId roomId userId characterId path`, as far as they are known.

One value, `who`: each key of a context costs by itself, and every answer binds five.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog


def bind_who(who: Mapping[str, Any]) -> None:
    """All that is known, in the place of what was said before."""
    structlog.contextvars.bind_contextvars(who=who)


def spread_who(logger: Any, name: str, event: Any) -> Any:
    """structlog's processor, after `merge_contextvars`; what the line itself says comes last."""
    return {**event.pop("who", {}), **event}
