"""What racing a second route for late first words won and cost, read from the traces' calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chat.models import Trace

Call = dict[str, Any]
#: Why the two requests of a race are made.
RACED = ("first", "hedge")


@dataclass(slots=True)
class Figures:
    """Of one route, where it was asked first. Money in US dollars; a lost request's tokens are estimated."""

    route: str
    answers: int = 0
    raced: int = 0
    won: int = 0
    lost_tokens: int = 0
    lost_cost: float = 0.0
    cost: float = 0.0
    #: Milliseconds from the first request to first content, whoever gave it and whatever failed before: of all answers
    #: that have content, and of the raced ones.
    _waits: list[float] = field(default_factory=list)
    _raced_waits: list[float] = field(default_factory=list)

    @property
    def extra(self) -> float:
        """Second requests by answer."""
        return self.raced / self.answers if self.answers else 0.0

    def waited(self, share: float, *, raced: bool = False) -> float | None:
        """What an answer's reader waited for the providers, as a quantile; None: there are none."""
        ordered = sorted(self._raced_waits if raced else self._waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    def add(self, calls: list[Call]) -> None:
        """The one that was asked first comes first, the others as they ended."""
        self.answers += 1
        self.cost += sum(call["cost"] for call in calls)
        giver = _giver(calls)
        waited = None if giver is None else _waited(calls, giver)
        if waited is not None:
            self._waits.append(waited)
        if any(call["why"] == "hedge" for call in calls):
            self._add_race(calls, giver, waited)

    def row(self) -> dict[str, Any]:
        return {
            "route": self.route, "answers": self.answers, "raced": self.raced, "extra": round(self.extra, 4),
            "won": self.won, "p50Ms": self.waited(0.5), "p95Ms": self.waited(0.95),
            "racedP50Ms": self.waited(0.5, raced=True), "racedP95Ms": self.waited(0.95, raced=True),
            "lostTokens": self.lost_tokens, "lostCost": round(self.lost_cost, 6), "cost": round(self.cost, 6),
        }

    def _add_race(self, calls: list[Call], giver: Call | None, waited: float | None) -> None:
        self.raced += 1
        self.won += giver is not None and giver["why"] == "hedge"
        if waited is not None:
            self._raced_waits.append(waited)
        for call in calls:
            if call["why"] in RACED and call is not giver:
                self.lost_tokens += call["promptTokens"] + call["completionTokens"]
                self.lost_cost += call["cost"]


def _giver(calls: list[Call]) -> Call | None:
    """Whose words came first to the reader; None: there were none."""
    return next((call for call in calls if call["firstMs"] is not None and call["outcome"] != "lost"), None)


def _waited(calls: list[Call], giver: Call) -> float:
    first: Call = calls[0]
    if first["outcome"] == "lost":
        # It was ended in the moment in which its rival's first content was there.
        return float(first["ms"])
    if "askedMs" in giver and "askedMs" in first:
        return float(giver["askedMs"] - first["askedMs"] + giver["firstMs"])
    # A rival that failed ran beside the late one. Of a trace from before it was kept when each was asked, one that came
    # after the late one had failed counts from then on: the wait comes out too long rather than too short.
    failed = [call for call in calls[: calls.index(giver)] if call["why"] != "hedge"]
    return float(sum(call["ms"] for call in failed) + giver["firstMs"])


def figures(*, since: datetime, until: datetime | None = None) -> list[Figures]:
    """By the route that was asked first; answers before `since`, and those that go on with another's, are left out."""
    traces = Trace.objects.filter(created_at__gte=since)
    rows = (traces.filter(created_at__lt=until) if until else traces).order_by().values_list("calls", flat=True)
    return _by_route(rows.iterator(chunk_size=2000))


def _by_route(traces: Iterable[list[Call]]) -> list[Figures]:
    found: dict[str, Figures] = {}
    for calls in traces:
        asked = sorted(calls, key=lambda call: call["why"] != "first")
        if asked and asked[0]["why"] == "first":
            found.setdefault(asked[0]["route"], Figures(asked[0]["route"])).add(asked)
    return sorted(found.values(), key=lambda each: each.route)
