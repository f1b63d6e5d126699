"""The staged rollout of streaming: who is in which cohort, what stage it is, and how that is changed."""

from __future__ import annotations

from chat.stages.changes import RolloutRefused, hold, promote, put, release, rollback
from chat.stages.cohorts import STAGES, Share, cohort_of
from chat.stages.state import State, current, forget, read

__all__ = [
    "STAGES", "RolloutRefused", "Share", "State", "cohort_of", "current", "forget", "hold", "promote", "put",
    "read", "release", "rollback",
]
