"""What racing a second route for late first words won and cost, read from the traces' calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chat.models import Trace

Call = dict[str, Any]


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
    #: Milliseconds from the first request to first content, whoever gave it: of all answers, and of the raced ones.
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
        self.answers += 1
        self.cost += sum(call["cost"] for call in calls)
        is_raced = any(call["why"] == "hedge" for call in calls)
        waited = _waited(calls[0])
        if waited is not None:
            self._waits.append(waited)
        if is_raced:
            self._add_race(calls, waited)

    def row(self) -> dict[str, Any]:
        return {
            "route": self.route, "answers": self.answers, "raced": self.raced, "extra": round(self.extra, 4),
            "won": self.won, "p50Ms": self.waited(0.5), "p95Ms": self.waited(0.95),
            "racedP50Ms": self.waited(0.5, raced=True), "racedP95Ms": self.waited(0.95, raced=True),
            "lostTokens": self.lost_tokens, "lostCost": round(self.lost_cost, 6), "cost": round(self.cost, 6),
        }

    def _add_race(self, calls: list[Call], waited: float | None) -> None:
        self.raced += 1
        self.won += calls[0]["outcome"] == "lost"
        if waited is not None:
            self._raced_waits.append(waited)
        for call in calls:
            if call["outcome"] == "lost":
                self.lost_tokens += call["promptTokens"] + call["completionTokens"]
                self.lost_cost += call["cost"]


def _waited(first: Call) -> float | None:
    """The late one is ended in the moment in which its rival's first content is there."""
    waited: float | None = first["ms"] if first["outcome"] == "lost" else first["firstMs"]
    return waited


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
