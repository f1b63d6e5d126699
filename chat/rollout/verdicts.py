"""What a stage's evidence allows: promote, hold, roll back, or nothing yet; each with its reasons in plain words.

Evidence of harm comes first and acts whatever else is missing. Missing data never is such evidence, and never
promotes. What is neither proven good nor proven bad is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chat.rollout import conditions, words
from chat.rollout.alarms import alarmed
from chat.rollout.conditions import Rules
from chat.rollout.evidence import Evidence
from chat.rollout.slos import SLOS, Slo
from chat.sayings import Saying


class Decision(StrEnum):
    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True, slots=True)
class Verdict:
    decision: Decision
    reasons: tuple[Saying, ...]


def decide(evidence: Evidence, now: datetime, rules: Rules) -> Verdict:
    """`now` is when one asks, which may be long after the last look."""
    bad = alarmed(evidence)
    if bad:
        alarms = [words.alarm(slo, evidence.seen[slo.key]) for slo in bad]
        return _verdict(Decision.ROLLBACK, [*alarms, *_standing(evidence, [slo for slo in SLOS if slo not in bad])])
    missing = list(conditions.missing(evidence, now, rules))
    if missing:
        return _verdict(Decision.NOT_ENOUGH_DATA, [*missing, *_standing(evidence)])
    open_ones = list(conditions.unproven(evidence, now, rules))
    if open_ones:
        return _verdict(Decision.HOLD, [*open_ones, *_standing(evidence)])
    return _verdict(Decision.PROMOTE, _standing(evidence))


# Internal


def _standing(evidence: Evidence, slos: Iterable[Slo] = SLOS) -> list[Saying]:
    return [words.standing(slo, evidence.seen[slo.key]) for slo in slos]


def _verdict(decision: Decision, reasons: Iterable[Saying]) -> Verdict:
    return Verdict(decision, tuple(reasons))
