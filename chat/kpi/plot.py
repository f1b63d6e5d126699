"""A request's waterfall as SVG, drawn here: nothing is loaded for it, and it is as wide as the page lets it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: Names and times stand in lines of their own above the bars, so that both fit a phone.
WIDTH, ROW, BAR = 360, 30, 9


def waterfall(marks: Sequence[tuple[float, str]]) -> SafeString:
    """Steps one under the other, each from the mark before it to its own; ms since the first side's beginning."""
    if not marks:
        return SafeString("")
    begins = min(at for at, _ in marks)
    end = max(at for at, _ in marks) - begins or 1.0
    before = [begins, *(at for at, _ in marks)]
    bars = format_html_join("", (
        '<g><text x="0" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="waterfall__way" x="0" y="{}" width="{}" height="{}"/>'
        '<rect class="waterfall__step waterfall__step--{}" x="{}" y="{}" width="{}" height="{}"/></g>'
    ), (
        (
            ROW * row + 14, name, WIDTH, ROW * row + 14, f"{at:,.0f} ms (+{at - start:,.0f})",
            ROW * row + 19, WIDTH, BAR,
            name.partition(":")[0], _x(start - begins, end), ROW * row + 19,
            max(_x(at - begins, end) - _x(start - begins, end), 1.5), BAR,
        )
        for row, (start, (at, name)) in enumerate(zip(before, marks, strict=False))
    ))
    return format_html(
        '<svg class="waterfall" viewBox="0 0 {} {}" role="img" aria-label="waterfall">{}</svg>',
        WIDTH, ROW * len(marks) + 4, bars,
    )


def _x(at: float, end: float) -> float:
    return round(at / end * (WIDTH - 2), 1)
