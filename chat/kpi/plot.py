"""Lines and waterfalls as SVG, drawn here: nothing is loaded from anywhere, and it is as wide as the page lets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 180, 44, 20
#: Readable on light and on dark.
COLOURS = ("#2f81c7", "#d9822b", "#3a9a5b", "#a05cc0")


def lines(
    labels: Sequence[str], series: Mapping[str, Sequence[float | None]], limit: float, unit: str
) -> SafeString:
    """Each series from the oldest to the newest; a gap where there is no value. `limit` is drawn dashed."""
    known = [value for values in series.values() for value in values if value is not None]
    top = max([*known, limit]) * 1.1
    drawn = [_series(name, values, top, COLOURS[index % 4]) for index, (name, values) in enumerate(series.items())]
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" style="width:100%;max-width:46rem;display:block">'
        '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="currentColor" stroke-dasharray="4 4" opacity=".6"/>'
        '<text x="2" y="{}" font-size="11" fill="currentColor">{} {}</text>{}{}</svg>',
        WIDTH, HEIGHT, ", ".join(series), LEFT, WIDTH, _y(limit, top), _y(limit, top), _y(limit, top) - 3,
        f"{limit:g}", unit, format_html_join("", "{}", ((each,) for each in drawn)), _ends(labels),
    )


def waterfall(marks: Sequence[tuple[float, str]]) -> SafeString:
    """Steps one under the other, each from the mark before it to its own; ms since the first side's beginning."""
    end = max([at for at, _ in marks] or [1.0]) or 1.0
    starts = [0.0, *(at for at, _ in marks)]
    rows = [
        (
            20 * row, _part(start, end), 20 * row + 4, max(_part(at, end) - _part(start, end), 1.5), 20 * row + 14,
            f"{name} {at:.0f} ms",
        )
        for row, (start, (at, name)) in enumerate(zip(starts, marks, strict=False))
    ]
    bars = format_html_join("", (
        '<g data-y="{}"><rect x="{}" y="{}" width="{}" height="12" fill="#2f81c7"/>'
        '<text x="4" y="{}" font-size="11" fill="currentColor">{}</text></g>'
    ), rows)
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="waterfall" style="width:100%;max-width:46rem">{}</svg>',
        WIDTH, 20 * len(rows) + 4, bars,
    )


# Internal


def _part(at: float, end: float) -> float:
    """The names have the left third to themselves."""
    return round(WIDTH / 3 + at / end * (WIDTH * 2 / 3 - 4), 1)


def _y(value: float, top: float) -> float:
    return round((HEIGHT - BOTTOM) * (1 - value / top), 1)


def _series(name: str, values: Sequence[float | None], top: float, colour: str) -> SafeString:
    step = (WIDTH - LEFT - 8) / max(len(values) - 1, 1)
    points = [(round(LEFT + i * step, 1), _y(value, top)) for i, value in enumerate(values) if value is not None]
    dots = format_html_join(
        "", '<circle cx="{}" cy="{}" r="2.5" fill="{}"><title>{}</title></circle>',
        ((x, y, colour, f"{name} {(1 - y / (HEIGHT - BOTTOM)) * top:.0f}") for x, y in points),
    )
    path = " ".join(f"{x},{y}" for x, y in points)
    return format_html('<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>{}', path, colour, dots)


def _ends(labels: Sequence[str]) -> SafeString:
    if not labels:
        return SafeString("")
    return format_html(
        '<text x="{}" y="{}" font-size="11" fill="currentColor">{}</text>'
        '<text x="{}" y="{}" font-size="11" fill="currentColor" text-anchor="end">{}</text>',
        LEFT, HEIGHT - 4, labels[0], WIDTH - 4, HEIGHT - 4, labels[-1],
    )
