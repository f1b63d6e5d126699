"""Which path a user's next request takes. Asked at every turn: a change acts within two seconds on every process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import waffle
from django.conf import settings
from django.core.cache import caches

from chat import stages
from chat.stages import State
from chat.stages.cohorts import LOAD
from chat.stages.words import SWITCH
from streaming.remembered import POLICY_SECONDS, Memory


@dataclass(frozen=True, slots=True)
class Assignment:
    """The path, and of which cohort's at which stage of the rollout; empty for neither."""

    path: Literal["stream", "completed"]
    cohort: str
    stage: int


#: What the kill switches leave: no cohort, as nobody was drawn.
KILLED = Assignment("completed", "", 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides a path but the user. `is_on`: no kill switch is turned."""

    is_on: bool
    state: State

    def assign(self, user_id: int, is_staff: bool, *, is_load: bool = False) -> Assignment:
        """`completed` for everybody when the setting or the admin's switch turns streaming off."""
        if not self.is_on:
            return replace(KILLED, cohort=LOAD) if is_load else KILLED
        return drawn(LOAD if is_load else self.state.cohort_of(user_id, is_staff=is_staff), self.state.stage)


def drawn(cohort: str, stage: int) -> Assignment:
    """What follows from the cohort, drawn now or when a request was accepted; a load test streams from stage 1 on."""
    is_streamed = cohort == "stream" or (cohort == LOAD and stage > 0)
    return Assignment("stream" if is_streamed else "completed", cohort, stage)


def policy() -> Policy:
    """In a database thread; at most POLICY_SECONDS old."""
    return _policy(*_decided.get(None))


def policy_at_hand() -> Policy | None:
    """None where it would have to be read."""
    decided = _decided.at_hand(None)
    return None if decided is None else _policy(*decided)


def _policy(is_on: bool, state: State) -> Policy:
    return Policy(settings.CHAT_STREAMING_ENABLED and is_on, state)


def assignment(user_id: int, is_staff: bool, *, is_load: bool = False) -> Assignment:
    return policy().assign(user_id, is_staff, is_load=is_load)


def forget() -> None:
    """An operator has turned a switch or moved the rollout: what is remembered of it here is old."""
    _decided.forget()


def _load_decided(_: None) -> tuple[bool, State]:
    """Is streaming on, and how far is the rollout."""
    caches["switches"].clear()
    return bool(waffle.switch_is_active(SWITCH)), stages.current()


_decided = Memory(_load_decided, oldest=POLICY_SECONDS)
