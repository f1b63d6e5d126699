"""Which path a user's next request takes. The switch is read at every turn: it acts within ROUTES_CACHE_SECONDS."""

from __future__ import annotations

from typing import Literal

import waffle
from django.conf import settings
from django.core.cache import caches

SWITCH = "chat_streaming"


def forget() -> None:
    """An operator has turned a switch: what is remembered of it here is old."""
    caches["switches"].clear()


def path_for(*, is_staff: bool) -> Literal["stream", "completed"]:
    """`stream`, or `completed` when the setting or the admin's switch turns streaming off."""
    del is_staff  # cohorts come with the staged rollout; the seam is here
    if settings.CHAT_STREAMING_ENABLED and waffle.switch_is_active(SWITCH):
        return "stream"
    return "completed"
