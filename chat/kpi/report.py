"""KPIs as text for a terminal and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from chat.kpi.comparison import Comparison
from chat.kpi.definitions import COMPLETION_LIMIT_MS, FAILED_SHARE_MOST, TTFT_LIMIT_MS
from chat.kpi.intervals import Estimate, percent
from chat.kpi.measure import Kpis
from chat.kpi.quantiles import Quantiles

HEADINGS = ("group", "sends", "K1 first words p50/p95 [95 %]/p99 ms", "K2 completion ms", "K3 failed", "left waiting")
DEFINITIONS = {
    "K1": "First words: from the click to the first visible text; p95 at most 1500 ms. On a path that shows nothing "
    "before the whole, they come with its end.",
    "K2": "Completion: from the click to the end of a finished answer; p95 at most 8000 ms.",
    "K3": "Failed sends: acknowledgement timeouts and backend failures; at most 1 % of all sends.",
    "K4": "Leaving while waiting, before the first words were seen: at least 30 % less in the streamed cohort than in "
    "the control cohort.",
}


def lines(kpis: Sequence[Kpis]) -> list[str]:
    """A table of one span, aligned."""
    rows = [HEADINGS, *(_row(each) for each in kpis)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(kpis: Kpis) -> tuple[str, ...]:
    counts = kpis.counts
    terms = f"{counts['ack_timeout']} ack timeouts + {counts['backend_failed']} backend"
    return (
        " ".join(f"{name}={value or '(none)'}" for name, value in kpis.group.items()) or "all", str(counts["sends"]),
        times(kpis.ttft, TTFT_LIMIT_MS), times(kpis.completion, COMPLETION_LIMIT_MS),
        f"{percent(kpis.failed)} {failed_verdict(kpis.failed)} ({terms})", percent(kpis.left_waiting),
    )


def times(of: Quantiles | None, limit_ms: float) -> str:
    if of is None:
        return "–"
    low, high = ("?" if bound is None else f"{bound:.0f}" for bound in (of.p95_low, of.p95_high))
    return f"{of.p50:.0f}/{of.p95:.0f} [{low}, {high}]/{of.p99:.0f} {of.verdict(limit_ms)}"


def failed_verdict(of: Estimate | None) -> str:
    if of is None:
        return "open"
    return "met" if of.high <= FAILED_SHARE_MOST else "missed" if of.low > FAILED_SHARE_MOST else "open"


def compared(of: Comparison | None) -> str:
    """K4 in a sentence."""
    if of is None:
        return "K4: nothing to compare; one of the cohorts stream and control had no sends."
    shares = [f"{left} of {sends} ({left / sends:.1%})" for left, sends in (of.streamed, of.control)]
    return (
        f"K4: left while waiting: streamed {shares[0]}, control {shares[1]}; difference {percent(of.difference)}, "
        f"{percent(of.less)} fewer: {of.verdict}."
    )


def plain(kpis: Kpis) -> dict[str, Any]:
    return {
        "group": dict(kpis.group), "counts": dict(kpis.counts),
        "ttft_ms": kpis.ttft and asdict(kpis.ttft), "completion_ms": kpis.completion and asdict(kpis.completion),
        "failed": kpis.failed and kpis.failed._asdict(),
        "left_waiting": kpis.left_waiting and kpis.left_waiting._asdict(),
        "verdicts": {
            "K1": kpis.ttft.verdict(TTFT_LIMIT_MS) if kpis.ttft else "open",
            "K2": kpis.completion.verdict(COMPLETION_LIMIT_MS) if kpis.completion else "open",
            "K3": failed_verdict(kpis.failed),
        },
    }


def plain_comparison(of: Comparison | None) -> dict[str, Any] | None:
    if of is None:
        return None
    return {
        "streamed": of.streamed, "control": of.control, "difference": of.difference._asdict(),
        "less": of.less._asdict(), "verdict": of.verdict,
    }
