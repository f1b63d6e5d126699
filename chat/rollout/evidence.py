"""What a stage has shown so far: counts by objective, when it began, when anything was last heard.

State of a fixed size, plain numbers and times only, so that it can be kept as JSON (`msgspec.to_builtins`, and
`msgspec.convert(plain, Evidence)` to have it back). Judges nothing; see `verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chat.rollout.slos import LOST, SLOS
from chat.rollout.tallies import NONE, Tally
from chat.rollout.watches import Watch

#: Looks further apart than this are a gap: what happened meanwhile may have gone unrecorded.
GAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Minute:
    """What came since the last look, by objective, of the cohort that streams and of the control cohort.

    `requests` of the former altogether; `timed` of them with the browser's own marks. Each request comes once, late
    ones with the minute in which they are known.
    """

    at: datetime
    stream: Mapping[str, Tally] = field(default_factory=dict)
    control: Mapping[str, Tally] = field(default_factory=dict)
    requests: int = 0
    timed: int = 0

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a minute without a time zone")
        Tally(self.requests, self.timed)
        unknown = {*self.stream, *self.control} - {slo.key for slo in SLOS}
        if unknown:
            raise ValueError(f"no such objective: {', '.join(sorted(unknown))}")


@dataclass(slots=True)
class Seen:
    """Of one objective since the stage began."""

    stream: Tally = NONE
    control: Tally = NONE
    watch: Watch = field(default_factory=Watch)


@dataclass(slots=True)
class Evidence:
    """`watched_since` is the stage's begin, or the end of the last gap."""

    began: datetime
    watched_since: datetime
    looked: datetime
    last_request: datetime | None = None
    last_gap: timedelta = timedelta()
    requests: int = 0
    timed: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)

    def forget(self, at: datetime) -> None:
        """The clock went back: counted from `at` on, and what was counted before is not counted again.

        Lost answers stay; they are told apart from time.
        """
        lost = self.seen[LOST.key].stream
        self.last_gap, self.watched_since, self.looked = at - self.looked, at, at
        self.requests = self.timed = 0
        self.seen = {slo.key: Seen() for slo in SLOS}
        self.seen[LOST.key].stream = lost

    def feed(self, minute: Minute) -> None:
        passed = minute.at - self.looked
        if not timedelta() <= passed <= GAP:
            self.last_gap, self.watched_since = passed, minute.at
        self.looked = minute.at
        self.requests += minute.requests
        self.timed += minute.timed
        if minute.requests:
            self.last_request = minute.at
        for slo in SLOS:
            one = self.seen[slo.key]
            now = minute.stream.get(slo.key, NONE)
            one.stream += now
            one.control += minute.control.get(slo.key, NONE)
            one.watch.feed(now, passed.total_seconds() / 60.0, slo)

    @property
    def checked(self) -> int:
        """Answers that a browser has compared with their checksum."""
        return self.seen[LOST.key].stream.requests


def begun(at: datetime) -> Evidence:
    """A stage's evidence begins with the stage: what another share of the users saw proves nothing about this one."""
    return Evidence(at, at, at, seen={slo.key: Seen() for slo in SLOS})
