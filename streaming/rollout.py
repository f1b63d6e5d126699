"""Which path a user's next request takes. Asked at every turn: a change acts within ROUTES_CACHE_SECONDS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import waffle
from django.conf import settings
from django.core.cache import caches

from chat import stages
from chat.stages.words import SWITCH


@dataclass(frozen=True, slots=True)
class Assignment:
    """The path, and of which cohort's at which stage of the rollout; empty for neither."""

    path: Literal["stream", "completed"]
    cohort: str
    stage: int


#: What the kill switches leave: no cohort, as nobody was drawn.
KILLED = Assignment("completed", "", 0)


def forget() -> None:
    """An operator has turned a switch or moved the rollout: what is remembered of it here is old."""
    caches["switches"].clear()


def assignment(user_id: int, is_staff: bool) -> Assignment:
    """`completed` for everybody when the setting or the admin's switch turns streaming off."""
    if not (settings.CHAT_STREAMING_ENABLED and waffle.switch_is_active(SWITCH)):
        return KILLED
    state = stages.current()
    return drawn(state.cohort_of(user_id, is_staff=is_staff), state.stage)


def drawn(cohort: str, stage: int) -> Assignment:
    """What follows from the cohort, drawn now or when a request was accepted."""
    return Assignment("stream" if cohort == "stream" else "completed", cohort, stage)
