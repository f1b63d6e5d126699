"""What stage it is. Read at every turn, so remembered for ROUTES_CACHE_SECONDS, or until another process tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.core.cache import caches

from chat.models import RolloutState
from chat.stages.cohorts import STAGES, Cohort, cohort_of

KEY = "rollout"
ONLY = 1


@dataclass(frozen=True, slots=True)
class State:
    """`version` 0: nobody ever decided anything, and everybody is streamed to."""

    stage: int = len(STAGES) - 1
    percent: int = 100
    salt: str = ""
    since: datetime | None = None
    is_held: bool = False
    is_auto: bool = False
    version: int = 0

    def cohort_of(self, user_id: int, *, is_staff: bool) -> Cohort:
        return cohort_of(self.stage, self.percent, self.salt, user_id, is_staff=is_staff)


def current() -> State:
    """At most ROUTES_CACHE_SECONDS old."""
    state = cast("State | None", caches["switches"].get(KEY))
    if state is None:
        state = read()
        caches["switches"].set(KEY, state)
    return state


def read() -> State:
    row = RolloutState.objects.filter(pk=ONLY).first()
    if row is None:
        return State()
    return State(row.stage, row.percent, row.salt, row.since, row.is_held, row.is_auto, row.version)


def forget() -> None:
    caches["switches"].clear()
