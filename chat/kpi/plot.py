"""A request's waterfall: a table whose every step has its bar in SVG, drawn here, as wide as the page lets it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, BAR = 360, 8


def waterfall(marks: Sequence[tuple[float, str, str]], clock: str | Promise) -> SafeString:
    """(ms on one clock, side, stage) in order, each with the step from the mark before it. Empty without marks."""
    if not marks:
        return SafeString("")
    begins, end = marks[0][0], marks[-1][0]
    before = [begins, *(at for at, _side, _stage in marks)]
    columns = (_("side"), _("stage"), clock, _("step"))
    head = format_html_join("", '<th scope="col">{}</th>', ((column,) for column in columns))
    # The bar has a line of its own below its numbers, so that both fit a phone.
    steps = format_html_join("", (
        '<tbody><tr><td>{}</td><th scope="row">{}</th><td>{}</td><td>{}</td></tr>'
        '<tr aria-hidden="true"><td colspan="4">{}</td></tr></tbody>'
    ), (
        (_side(side), stage, f"{at:,.1f}", f"{at - start:+,.1f}", _bar(side, start - begins, at - begins, end - begins))
        for start, (at, side, stage) in zip(before, marks, strict=False)
    ))
    return format_html('<table class="waterfall"><thead><tr>{}</tr></thead>{}</table>', head, steps)


def _side(side: str) -> str:
    return {"server": _("server"), "browser": _("browser")}[side]


def _bar(side: str, start: float, at: float, whole: float) -> SafeString:
    left, right = _x(start, whole), _x(at, whole)
    return format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<rect class="waterfall__step waterfall__step--{}" x="{}" width="{}" height="{}"/></svg>',
        WIDTH, BAR, side, left, max(right - left, 1.5), BAR,
    )


def _x(at: float, whole: float) -> float:
    return round(at / (whole or 1.0) * (WIDTH - 2), 1)
