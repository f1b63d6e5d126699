"""How the dashboard says times, shares and names; translated where people read them."""

from __future__ import annotations

from math import isfinite
from typing import Any

from django.utils.translation import gettext_lazy as _

#: The counts of chat/kpi/definitions.py that one sees, as people call them.
TERMS = {"ack_timeout": _("no acknowledgement"), "backend_failed": _("backend failed")}
STATES = {"before_accept": _("before accept"), "before_words": _("before first words"), "mid_answer": _("mid-answer")}
COUNTERS = {
    "mismatched": _("mismatches"), "resumes": _("resumes"), "taken_over": _("takeovers"), "fallbacks": _("fallbacks"),
}
VERDICTS = {"met": _("met"), "missed": _("missed"), "open": _("open")}
GROUPS = {"": _("all"), "path": _("path"), "cohort": _("cohort"), "route": _("route")}


def ms(value: float | None) -> str:
    """Three digits are enough to look at."""
    if value is None or not isfinite(value):
        return "–" if value is None else "∞"
    for size, unit in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if value >= size:
            return f"{value / size:,.{0 if value >= 100 * size else 1 if value >= 10 * size else 2}f} {unit}"
    return f"{value:.0f} ms"


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


def bounds(of: dict[str, Any] | None) -> str:
    """A share with its interval."""
    return f"{of['value']:.1%} [{of['low']:.1%}, {of['high']:.1%}]" if of else "–"


def quantiles(of: dict[str, Any] | None) -> str:
    return " / ".join(ms(of[name]) for name in ("p50", "p95", "p99")) if of else "–"


def p95(of: dict[str, Any] | None) -> str:
    """With its interval, where there were enough to have one."""
    if not of:
        return "–"
    low, high = of["p95_low"], of["p95_high"]
    return f"{ms(of['p95'])} [{'?' if low is None else ms(low)}, {'?' if high is None else ms(high)}]"
