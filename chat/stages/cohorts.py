"""Who belongs to which cohort: by a salted hash of the user's id alone, so a socket, a POST and a takeover agree.

Sticky and growing: a user keeps their number for as long as the salt stays, and a larger share holds the smaller one.
Pure; knows neither Django nor the database.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

BUCKETS = 10_000
Cohort = Literal["stream", "control", "load", ""]
#: Guests of a load test: at any stage but 0 they are streamed to, and nobody compares them with people.
LOAD: Cohort = "load"


@dataclass(frozen=True, slots=True)
class Share:
    """Whom a stage is for, and how many of them per cent."""

    whom: Literal["nobody", "staff", "everybody"]
    percent: int


#: O1 of the brief. An internal account is one that may enter the admin, with or without a permission there.
STAGES: tuple[Share, ...] = (
    Share("nobody", 0), Share("staff", 10), Share("everybody", 25), Share("everybody", 50), Share("everybody", 100),
)


def cohort_of(stage: int, percent: int, salt: str, user_id: int, *, is_staff: bool) -> Cohort:
    """Empty: the stage is not for this user. Who is not drawn, in a stage that draws, is the control."""
    whom = STAGES[stage].whom
    if whom == "nobody" or (whom == "staff" and not is_staff):
        return ""
    return "stream" if bucket(salt, user_id) < percent * BUCKETS // 100 else "control"


def bucket(salt: str, user_id: int) -> int:
    """From 0 to BUCKETS - 1, the same for ever."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BUCKETS
