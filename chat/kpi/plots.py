"""What the dashboard's plots draw, as plain values: a browser draws them (frontend_static/js/plots.js)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.kpi import words
from chat.kpi.definitions import COMPLETION_LIMIT_MS, FAILED_SHARE_MOST, TTFT_LIMIT_MS
from chat.models import KpiRollup


def plots(days: Iterable[KpiRollup], weeks: Iterable[KpiRollup]) -> list[dict[str, Any]]:
    """Each by day and by week, the oldest first; None where nothing was sent."""
    spans = {"day": list(days), "week": list(weeks)}
    return [
        _plot("words", _("First words"), "ms", TTFT_LIMIT_MS, _times("ttft_ms", spans)),
        _plot("completion", _("Completion"), "ms", COMPLETION_LIMIT_MS, _times("completion_ms", spans)),
        _plot("failures", _("Failed sends, by term"), "share", FAILED_SHARE_MOST, _shares(words.TERMS, spans)),
        _plot("leaving", _("Readers who left, by state"), "share", None, _shares(words.STATES, spans)),
    ]


# Internal

Spans = Mapping[str, list[KpiRollup]]


def _plot(key: str, title: Any, unit: str, limit: float | None, spans: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "title": title, "unit": unit, "limit": limit, "spans": spans}


def _times(column: str, spans: Spans) -> dict[str, Any]:
    def of(rows: list[KpiRollup], name: str) -> list[float | None]:
        return [(row.figures.get(column) or {}).get(name) for row in rows]

    return {
        span: _span(span, rows, [{"name": name, "values": of(rows, name)} for name in ("p50", "p95")])
        for span, rows in spans.items()
    }


def _shares(terms: Mapping[str, Any], spans: Spans) -> dict[str, Any]:
    def of(rows: list[KpiRollup], term: str) -> list[float | None]:
        counts = [row.figures.get("counts") for row in rows]
        return [each[term] / each["sends"] if each and each["sends"] else None for each in counts]

    return {
        span: _span(span, rows, [{"name": name, "values": of(rows, term)} for term, name in terms.items()])
        for span, rows in spans.items()
    }


def _span(name: str, rows: list[KpiRollup], series: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": _("week of") if name == "week" else _("day"), "at": _at(rows), "series": series}


def _at(rows: list[KpiRollup]) -> list[int]:
    """A day is a name, not a moment: at midnight in no time zone."""
    return [int(datetime.combine(row.starts_on, time.min, UTC).timestamp()) for row in rows]
