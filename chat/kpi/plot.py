"""A request's waterfall as SVG, drawn here: nothing is loaded for it, and it is as wide as the page lets it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: Names and times stand in lines of their own above the bars, so that both fit a phone.
WIDTH, ROW, BAR = 360, 30, 9
SIDES = {"server": _("server"), "browser": _("browser")}


def waterfall(marks: Sequence[tuple[float, str, str]]) -> SafeString:
    """Steps one under the other, each from the mark before it to its own; ms since the first side's beginning.

    A mark is (when, on which side, which one).
    """
    if not marks:
        return SafeString("")
    times = [at for at, _side, _mark in marks]
    begins = min(times)
    end = max(times) - begins or 1.0
    bars = format_html_join("", (
        '<g><text x="0" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="waterfall__way" x="0" y="{}" width="{}" height="{}"/>'
        '<rect class="waterfall__step waterfall__step--{}" x="{}" y="{}" width="{}" height="{}"/></g>'
    ), (
        (
            ROW * row + 14, step_name(side, mark), WIDTH, ROW * row + 14, f"{at:,.0f} ms (+{at - start:,.0f})",
            ROW * row + 19, WIDTH, BAR,
            side, _x(start - begins, end), ROW * row + 19,
            max(_x(at - begins, end) - _x(start - begins, end), 1.5), BAR,
        )
        for row, (start, (at, side, mark)) in enumerate(zip([begins, *times], marks, strict=False))
    ))
    return format_html(
        '<svg class="waterfall" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH, ROW * len(marks) + 4, gettext("waterfall"), bars,
    )


def step_name(side: str, mark: str) -> str:
    """Marks are codes; sides are words."""
    return f"{SIDES.get(side, side)}: {mark}"


def _x(at: float, end: float) -> float:
    return round(at / end * (WIDTH - 2), 1)
