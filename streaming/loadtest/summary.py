"""What is printed at the end: K1 to K3 with their bounds, what went wrong, and whether the figures can be believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from chat.kpi import report
from chat.kpi.definitions import COMPLETION_LIMIT_MS, FAILED_SHARE_MOST, TTFT_LIMIT_MS
from chat.kpi.intervals import percent
from chat.kpi.measure import Kpis
from chat.kpi.quantiles import Quantiles
from streaming.loadtest.findings import Findings
from streaming.loadtest.plan import Plan

#: From here on this program, not the deployment, is a part of what was measured.
LAG_MOST_MS = 50.0
#: From so many values on a p95 has both bounds: chat/kpi/intervals.py.
LEAST_BOUNDED = 110
#: What to raise there, by the code of a refusal.
SETTINGS = {
    "rate_limited": "CHAT_TURNS_PER_MINUTE or CHAT_COMMANDS_PER_MINUTE, or longer thoughts (--think)",
    "too_many_sockets": "CHAT_SOCKETS_PER_USER",
    "overloaded": "ADMISSION_MAX_CALLS or ADMISSION_QUEUE_MAX, or more processes",
}


def lines(plan: Plan, findings: Findings) -> Iterator[str]:
    paths = findings.by_path()
    ways = ", ".join(f"{kpis.counts['sends']} {kpis.group['path']}" for kpis in paths) or "none"
    yield f"{plan.url}: {plan.users} users, {findings.seconds:.0f} s, {len(findings.counted)} sends ({ways})"
    if (whole := findings.kpis()) is not None:
        yield from _kpis(whole)
    for kpis in paths if len(paths) > 1 else ():
        yield f"Of those by {kpis.group['path']}:"
        yield from _kpis(kpis)
    yield from _others(findings)


def plain(plan: Plan, findings: Findings) -> dict[str, Any]:
    """For programs."""
    whole = findings.kpis()
    return {
        "url": plan.url, "users": plan.users, "seconds": round(findings.seconds, 1), "seed": plan.seed,
        "think": {"p50": plan.think.p50, "p95": plan.think.p95},
        "all": report.plain(whole) if whole else None, "by_path": [report.plain(kpis) for kpis in findings.by_path()],
        "acknowledged_ms": _bounds(findings.acknowledged), "unfinished": findings.unfinished,
        "verified": findings.verified, "mismatched": findings.mismatched, "failures": findings.failures,
        "refusals": findings.refusals, "lost_sockets": {str(code): n for code, n in findings.closes.items()},
        "resumed": findings.resumed, "troubles": findings.troubles, "own_delay_ms": _bounds(findings.lag),
    }


def not_met(findings: Findings) -> list[str]:
    """Those of K1 to K3 that are missed, or of which too little was seen to say that they are met."""
    whole = findings.kpis()
    verdicts = report.plain(whole)["verdicts"] if whole else dict.fromkeys(("K1", "K2", "K3"), "open")
    return [f"{name} {verdict}" for name, verdict in verdicts.items() if verdict != "met"]


# Internal


def _kpis(of: Kpis) -> Iterator[str]:
    counts = of.counts
    head = "p50/p95 [95 % bounds]/p99 ms"
    yield f"  K1 first words  {head}  {report.times(of.ttft, TTFT_LIMIT_MS)} (p95 at most {TTFT_LIMIT_MS:.0f})"
    yield (
        f"  K2 completion   {head}  {report.times(of.completion, COMPLETION_LIMIT_MS)} "
        f"(p95 at most {COMPLETION_LIMIT_MS:.0f})"
    )
    if of.ttft is not None and of.ttft.p95_high is None:
        yield f"  ?               {of.ttft.count} sends are too few for an upper bound: it takes {LEAST_BOUNDED}"
    yield (
        f"  K3 failed       {percent(of.failed)} {report.failed_verdict(of.failed)} (at most {FAILED_SHARE_MOST:.0%}): "
        f"{counts['ack_timeout']} ack timeouts + {counts['backend_failed']} backend"
    )


def _others(findings: Findings) -> Iterator[str]:
    if (acknowledged := findings.acknowledged) is not None:
        yield f"  acknowledged    p50 {acknowledged.p50:.0f} ms, p95 {acknowledged.p95:.0f} ms"
    yield f"  verified        {findings.verified} ends by length and checksum, {findings.mismatched} differed"
    if findings.failures:
        yield f"  failures        {_told(findings.failures)}{_advice(findings.failures)}"
    if findings.refusals:
        yield f"  refused         {_told(findings.refusals)}; no sends of K3{_advice(findings.refusals)}"
    if findings.closes:
        yield f"  lost sockets    {_told(findings.closes)} by close code; {findings.resumed} came back in an answer"
    if findings.unfinished:
        yield f"  cut off         {findings.unfinished} answers were not over when it ended; they are in no figure"
    for what, count in findings.troubles.items():
        yield f"  trouble         {count} times: {what}"
    yield from _own(findings.lag)


def _own(lag: Quantiles | None) -> Iterator[str]:
    if lag is None:
        return
    yield f"  own delay       p95 {lag.p95:.0f} ms, p99 {lag.p99:.0f} ms"
    if lag.p95 > LAG_MOST_MS:
        yield (
            "  This machine did not keep up: the figures are worse than the deployment is. Fewer users, or another "
            "machine, and --serve-model in a process of its own."
        )


def _told(of: Counter[Any]) -> str:
    return ", ".join(f"{count} {name}" for name, count in of.most_common())


def _advice(codes: Counter[str]) -> str:
    found = [f"raise {SETTINGS[code]}" for code in codes if code in SETTINGS]
    return f": {'; '.join(found)}" if found else ""


def _bounds(of: Quantiles | None) -> dict[str, float] | None:
    return None if of is None else {"p50": round(of.p50, 1), "p95": round(of.p95, 1), "p99": round(of.p99, 1)}
