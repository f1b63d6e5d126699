"""What the dashboard shows, from roll-ups alone but for the slowest requests of the last day: a few small queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from chat.kpi import plot
from chat.kpi.comparison import compare
from chat.kpi.definitions import COMPLETION_LIMIT_MS, PEOPLE, TTFT_LIMIT_MS
from chat.kpi.measure import Kpis
from chat.kpi.report import compared
from chat.kpi.rollups import DAYS, WEEKS
from chat.kpi.spans import days, weeks
from chat.models import KpiRollup, Trace

SLOWEST = 10
TERMS = ("ack_timeout", "backend_failed", "before_accept", "before_words", "mid_answer")
COUNTERS = ("mismatched", "resumes", "taken_over", "fallbacks")


def dashboard() -> dict[str, Any]:
    now = timezone.now()
    this_week, first_day = weeks(1, now)[0].starts_on, days(DAYS, now)[-1].starts_on
    daily = KpiRollup.objects.filter(period="day", by="", starts_on__gte=first_day).order_by("starts_on")
    weekly = KpiRollup.objects.filter(period="week", by="").order_by("-starts_on")[:WEEKS]
    groups = list(KpiRollup.objects.filter(period="week", starts_on=this_week).order_by("by", "value"))
    return {
        "as_of": max((row.made_at for row in groups), default=None),
        "plots": [
            ("First words by day, ms", _plot(list(daily), "ttft_ms", TTFT_LIMIT_MS)),
            ("Completion by day, ms", _plot(list(daily), "completion_ms", COMPLETION_LIMIT_MS)),
        ],
        "weeks": [_cells(row, f"{row.starts_on:%m-%d}") for row in weekly if row.figures],
        "groups": [_cells(row, f"{row.by} {row.value or '–'}" if row.by else "all") for row in groups if row.figures],
        "k4": compared(compare(_cohorts(groups))), "terms": TERMS, "counters": COUNTERS,
        "slowest": _slowest(),
    }


# Internal


def _plot(rows: list[KpiRollup], column: str, limit: float) -> str:
    def of(name: str) -> list[float | None]:
        return [(row.figures.get(column) or {}).get(name) for row in rows]

    labels = [f"{row.starts_on:%m-%d}" for row in rows]
    return plot.lines(labels, {"p50": of("p50"), "p95": of("p95")}, limit, "ms")


def _cells(row: KpiRollup, name: str) -> dict[str, Any]:
    figures, counts = row.figures, row.figures["counts"]
    return {
        "name": name, "sends": counts["sends"], "ttft": figures["ttft_ms"], "completion": figures["completion_ms"],
        "failed": _percent(figures["failed"]), "left": _percent(figures["left_waiting"]),
        "verdicts": figures["verdicts"], "terms": [counts[term] for term in TERMS],
        "counters": [counts[name] for name in COUNTERS],
    }


def _percent(of: dict[str, float] | None) -> str:
    return f"{of['value']:.1%} [{of['low']:.1%}, {of['high']:.1%}]" if of else "–"


def _cohorts(rows: list[KpiRollup]) -> list[Kpis]:
    return [Kpis({"cohort": row.value}, row.figures["counts"]) for row in rows if row.by == "cohort" and row.figures]


def _slowest() -> list[Trace]:
    since = timezone.now() - timedelta(days=1)
    rows = Trace.objects.filter(PEOPLE, created_at__gte=since, ttft_ms__isnull=False).select_related("character")
    return list(rows.order_by(F("ttft_ms").desc())[:SLOWEST])
