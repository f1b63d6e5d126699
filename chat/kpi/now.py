"""What is so at this moment: the ways to a model, and the figures that are counted live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from prometheus_client import CollectorRegistry

from chat.kpi import live, words
from chat.models import ModelRoute, Trace

#: So far back, and no more answers than these, however many there were.
LATELY = timedelta(hours=1)
ANSWERS_MOST = 1_000
WELL = frozenset({"stop", "length", "content_filter"})
#: Ended by us: says nothing about the route.
OURS = frozenset({"lost", "cancelled"})


@dataclass(slots=True)
class RouteNow:
    name: str
    is_enabled: bool = True
    #: Asked last by a process that is scraped here, because it fails.
    is_open: bool = False
    outcomes: Counter[str] = field(default_factory=Counter)
    first_ms: list[float] = field(default_factory=list)
    failed_at: datetime | None = None
    failed_with: str = ""

    @property
    def asked(self) -> int:
        return self.outcomes.total()

    @property
    def well(self) -> str:
        judged = {name: count for name, count in self.outcomes.items() if name not in OURS}
        total = sum(judged.values())
        return words.share(sum(judged.get(name, 0) for name in WELL) / total) if total else "–"

    @property
    def first_content(self) -> str:
        ordered = sorted(self.first_ms)
        if not ordered:
            return "–"
        return " / ".join(words.ms(ordered[int(len(ordered) * share)]) for share in (0.5, 0.95))

    def note(self, call: dict[str, Any], at: datetime) -> None:
        outcome = str(call.get("outcome", ""))
        self.outcomes[outcome] += 1
        if isinstance(first := call.get("firstMs"), int | float):
            self.first_ms.append(first)
        if outcome not in WELL | OURS and self.failed_at is None:
            self.failed_at, self.failed_with = at, outcome


def routes(registry: CollectorRegistry) -> list[RouteNow]:
    """In the operator's order, with those that are gone but were asked lately at the end."""
    found = {
        name: RouteNow(name, is_enabled) for name, is_enabled in ModelRoute.objects.values_list("name", "is_enabled")
    }
    traces = Trace.objects.filter(created_at__gte=timezone.now() - LATELY).order_by("-created_at")
    for at, calls in traces.values_list("created_at", "calls")[:ANSWERS_MOST]:
        for call in calls if isinstance(calls, list) else ():
            name = str(call.get("route", ""))
            found.setdefault(name, RouteNow(name, is_enabled=False)).note(call, at)
    for name in _open(registry):
        if name in found:
            found[name].is_open = True
    return [each for each in found.values() if each.is_enabled or each.asked]


def figures(registry: CollectorRegistry) -> list[dict[str, Any]]:
    """Since the processes began, from histograms."""
    return [
        {
            "name": each.name.removeprefix("soksak_").removesuffix("_seconds"), "path": each.path,
            "source": each.source, "count": each.count, "quantiles": [words.ms(at * 1000) for at in each.seconds],
        }
        for each in live.read(registry)
    ]


def _open(registry: CollectorRegistry) -> Iterable[str]:
    for metric in registry.collect():
        if metric.name == "soksak_route_open":
            yield from (sample.labels["route"] for sample in metric.samples if sample.value)
