"""The dashboard's tables, from roll-ups: what each group and each week came to, and the cohorts side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.kpi import words
from chat.kpi.comparison import compare
from chat.kpi.definitions import COMPLETION_LIMIT_MS, CONTROL, FAILED_SHARE_MOST, STREAMED, TTFT_LIMIT_MS
from chat.kpi.intervals import difference
from chat.kpi.measure import Kpis
from chat.kpi.report import plain_comparison
from chat.models import KpiRollup

COUNTED = (*words.TERMS, *words.STATES, *words.COUNTERS)
#: Counts that are as many as they are; the others are shares of all sends, too.
PLAIN = tuple(words.COUNTERS)
Rollups = Iterable[KpiRollup]
Say = Callable[[Mapping[str, Any]], str]


def row(rollup: KpiRollup, name: str) -> dict[str, Any]:
    figures, counts = rollup.figures, rollup.figures["counts"]
    verdicts = figures["verdicts"]
    return {
        "name": name, "sends": counts["sends"],
        "times": [
            (words.quantiles(figures["ttft_ms"]), *_verdict(verdicts["K1"])),
            (words.quantiles(figures["completion_ms"]), *_verdict(verdicts["K2"])),
        ],
        "failed": (words.bounds(figures["failed"]), *_verdict(verdicts["K3"])),
        "left": words.bounds(figures["left_waiting"]), "counts": [counts[name] for name in COUNTED],
    }


def group_name(rollup: KpiRollup) -> str:
    kind = str(words.GROUPS.get(rollup.by, rollup.by))
    return f"{kind} {rollup.value or '–'}" if rollup.by else kind


def tiles(whole: KpiRollup, cohorts: Rollups) -> list[dict[str, Any]]:
    """K1 to K4 of a week, each as a number that one sees from afar."""
    by_name = {each.value: each.figures for each in cohorts if each.figures}
    # Who waits for the whole has late first words: beside all, what those have who are streamed to.
    streamed = by_name.get(STREAMED) if CONTROL in by_name else None
    limits = words.ms(TTFT_LIMIT_MS), words.ms(COMPLETION_LIMIT_MS), words.share(FAILED_SHARE_MOST)
    shown: tuple[tuple[str, Any, Say], ...] = (
        ("K1", _("First words, p95"), lambda of: words.ms(of["ttft_ms"] and of["ttft_ms"]["p95"])),
        ("K2", _("Completion, p95"), lambda of: words.ms(of["completion_ms"] and of["completion_ms"]["p95"])),
        ("K3", _("Failed sends"), lambda of: words.share(of["failed"] and of["failed"]["value"])),
    )
    return [
        _tile(key, name, say(whole.figures), limit, whole.figures["verdicts"][key])
        | {"streamed": _streamed(key, say, streamed)}
        for (key, name, say), limit in zip(shown, limits, strict=True)
    ] + [_k4(cohorts)]


def cohorts_beside(cohorts: Rollups) -> list[dict[str, Any]]:
    """Streamed and control, a line a figure, and the difference where there is one to take. Empty: one is missing."""
    by_name = {each.value: each.figures for each in cohorts if each.figures}
    if not {STREAMED, CONTROL} <= by_name.keys():
        return []
    ours, theirs = by_name[STREAMED], by_name[CONTROL]
    failed, left = ("ack_timeout", "backend_failed"), ("before_accept", "before_words")
    return [
        _beside(_("sends"), *(f"{each['counts']['sends']:,}" for each in (ours, theirs))),
        _beside(_("first words, p95"), words.p95(ours["ttft_ms"]), words.p95(theirs["ttft_ms"])),
        _beside(_("completion, p95"), words.p95(ours["completion_ms"]), words.p95(theirs["completion_ms"])),
        _beside(_("failed"), *(words.bounds(each["failed"]) for each in (ours, theirs)), _apart(ours, theirs, failed)),
        _beside(_("left while waiting"), *(words.bounds(each["left_waiting"]) for each in (ours, theirs)),
                _apart(ours, theirs, left)),
        *(_beside(name, *(f"{each['counts'][term]:,}" for each in (ours, theirs)))
          for term, name in (words.STATES | words.COUNTERS).items()),
    ]


# Internal


def _verdict(name: str) -> tuple[str, Any]:
    return name, words.VERDICTS[name]


def _tile(key: str, name: Any, value: str, limit: str, verdict: str) -> dict[str, Any]:
    return {
        "key": key, "name": name, "value": value, "limit": limit, "verdict": verdict, "said": words.VERDICTS[verdict],
    }


def _streamed(key: str, say: Say, of: Mapping[str, Any] | None) -> Any:
    return of and (say(of), *_verdict(of["verdicts"][key]))


def _k4(cohorts: Rollups) -> dict[str, Any]:
    found = compare(Kpis({"cohort": each.value}, each.figures["counts"]) for each in cohorts if each.figures)
    plain = plain_comparison(found)
    name = _("Fewer leave while waiting than in the control cohort")
    if plain is None:
        return _tile("K4", name, "–", "30%", "open")
    less = plain["less"]
    interval = f"[{less['low']:.0%}, {less['high']:.0%}]"
    return _tile("K4", name, f"{less['value']:.0%}", "30%", plain["verdict"]) | {"interval": interval}


def _beside(name: Any, *cells: str) -> dict[str, Any]:
    """Streamed, control, and the difference of the two."""
    return {"name": name, "cells": (*cells, "")[:3]}


def _apart(ours: Mapping[str, Any], theirs: Mapping[str, Any], terms: tuple[str, ...]) -> str:
    cells = [(sum(each["counts"][term] for term in terms), each["counts"]["sends"]) for each in (ours, theirs)]
    found = difference(*cells[0], *cells[1])
    return words.bounds(found._asdict()) if found else ""
