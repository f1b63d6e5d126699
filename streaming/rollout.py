"""Which path a user's next request takes. The switch is read at every turn: it acts within ROUTES_CACHE_SECONDS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import waffle
from django.conf import settings
from django.core.cache import caches

SWITCH = "chat_streaming"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The path, and of which cohort's at which stage of the rollout: `stream`, `control`, or empty for neither."""

    path: Literal["stream", "completed"]
    cohort: Literal["stream", "control", ""]
    stage: int


def forget() -> None:
    """An operator has turned a switch: what is remembered of it here is old."""
    caches["switches"].clear()


def assignment(user_id: int, is_staff: bool) -> Assignment:
    """`completed` for everybody when the setting or the admin's switch turns streaming off."""
    del user_id, is_staff  # cohorts come with the staged rollout; the seam is here
    if settings.CHAT_STREAMING_ENABLED and waffle.switch_is_active(SWITCH):
        return Assignment("stream", "stream", 0)
    return Assignment("completed", "control", 0)
