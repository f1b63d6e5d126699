"""What the dashboard shows: from roll-ups, but for the last hour's routes and what is open. A few small queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils import timezone

from chat import samples
from chat.kpi import now, plots, tables, words
from chat.kpi.rollups import DAYS, GROUPS, HEDGING, SLOWEST, WEEKS
from chat.kpi.spans import days, weeks
from chat.models import AlarmIncident, AlarmNotice, KpiRollup

HEDGING_DAYS = 7
SHOWN_MOST = 20


def dashboard() -> dict[str, Any]:
    today = timezone.now()
    this_week = weeks(1, today)[0].starts_on
    rows = KpiRollup.objects.order_by("starts_on")
    daily = list(rows.filter(period="day", by="", starts_on__gte=_first_of(DAYS)))
    weekly = list(rows.filter(period="week", by="", starts_on__gte=weeks(WEEKS, today)[-1].starts_on))
    groups = [row for row in rows.filter(period="week", starts_on=this_week).order_by("by", "value") if row.figures]
    cohorts = [row for row in groups if row.by == "cohort"]
    whole = next((row for row in groups if not row.by), None)
    registry = samples.registry()
    return {
        "as_of": max((row.made_at for row in [*daily, *weekly]), default=None),
        "tiles": tables.tiles(whole, cohorts) if whole else [],
        "groups": [tables.row(row, tables.group_name(row)) for row in groups if row.by in ("", *GROUPS)],
        "cohorts": tables.cohorts_beside(cohorts),
        "weeks": _newest_first(weekly), "days": _newest_first(daily),
        "counted": [*words.TERMS.values(), *words.STATES.values(), *words.COUNTERS.values()],
        "plots": plots.plots(daily, weekly) if any(row.figures for row in daily + weekly) else [],
        "slowest": _slowest(rows.filter(period="day", by=SLOWEST).order_by("-starts_on")[:2]),
        "hedging": _hedging(rows.filter(period="day", by=HEDGING, starts_on__gte=_first_of(HEDGING_DAYS))),
        "routes": now.routes(registry), "live": now.figures(registry), **_alarms(),
    }


# Internal


def _first_of(last_days: int) -> date:
    return days(last_days, timezone.now())[-1].starts_on


def _newest_first(rows: list[KpiRollup]) -> list[dict[str, Any]]:
    return [tables.row(row, f"{row.starts_on:%m-%d}") for row in reversed(rows) if row.figures]


def _slowest(last_days: Iterable[KpiRollup]) -> list[dict[str, Any]]:
    """Of today and yesterday: at midnight a page is not to be empty."""
    found = [trace for row in last_days for trace in row.figures.get("traces", ())]
    slowest = sorted(found, key=lambda trace: -trace["ttft_ms"])[:SHOWN_MOST]
    return [{**trace, "waited": words.ms(trace["ttft_ms"])} for trace in slowest]


def _hedging(rows: Iterable[KpiRollup]) -> list[dict[str, Any]]:
    """By route: what the days sum up to, and the waits of the last one."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        sums = found.setdefault(row.value, {"route": row.value})
        for name in ("answers", "raced", "won", "lostTokens", "lostCost", "cost"):
            sums[name] = sums.get(name, 0) + row.figures[name]
        for name in ("p50Ms", "p95Ms", "racedP50Ms", "racedP95Ms"):
            sums[name] = words.ms(row.figures[name])
    return [
        {
            **sums, "extra": words.share(sums["raced"] / sums["answers"]) if sums["answers"] else "–",
            "lostMoney": f"{sums['lostCost']:.4f}", "money": f"{sums['cost']:.4f}",
        }
        for sums in found.values()
    ]


def _alarms() -> dict[str, Any]:
    undelivered = AlarmNotice.objects.filter(delivered_at=None, attempts__gt=0)
    return {
        "open_alarms": list(AlarmIncident.objects.filter(closed_at=None)[:SHOWN_MOST]),
        "undelivered": list(undelivered.select_related("incident")[:SHOWN_MOST]),
    }
