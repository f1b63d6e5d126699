"""Which path a user's next request takes. Asked at every turn: a change acts within two seconds on every process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import waffle
from django.conf import settings
from django.core.cache import caches

from chat import stages
from chat.stages import State
from chat.stages.cohorts import Cohort
from chat.stages.words import SWITCH


@dataclass(frozen=True, slots=True)
class Assignment:
    """The path, and of which cohort's at which stage of the rollout; empty for neither."""

    path: Literal["stream", "completed"]
    cohort: Cohort
    stage: int


#: What the kill switches leave: no cohort, as nobody was drawn.
KILLED = Assignment("completed", "", 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides a path but the user. `is_on`: no kill switch is turned."""

    is_on: bool
    state: State

    def assign(self, user_id: int, is_staff: bool) -> Assignment:
        """`completed` for everybody when the setting or the admin's switch turns streaming off."""
        if not self.is_on:
            return KILLED
        cohort = self.state.cohort_of(user_id, is_staff=is_staff)
        return Assignment("stream" if cohort == "stream" else "completed", cohort, self.state.stage)


def policy() -> Policy:
    """In a database thread; at most two seconds old."""
    return Policy(settings.CHAT_STREAMING_ENABLED and waffle.switch_is_active(SWITCH), stages.current())


def assignment(user_id: int, is_staff: bool) -> Assignment:
    return policy().assign(user_id, is_staff)


def forget() -> None:
    """An operator has turned a switch or moved the rollout: what is remembered of it here is old."""
    caches["switches"].clear()
