"""The plot of a run as SVG text: added TTFT, added token latency and CPU a token, by streams; logarithmic both ways.

Readable on light and on dark: it brings its own colours for either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, log10
from typing import NamedTuple
from xml.sax.saxutils import escape

from tests.bench.plan import Cell
from tests.bench.rows import Row, rows_of, words_of

WIDTH, HEIGHT, TOP, LEFT, GAP = 320, 260, 66, 52, 60
RATE = 50.0
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 }
.paper { fill: #ffffff } .grid { stroke: #d0d7de; stroke-width: 1 } polyline { fill: none; stroke-width: 2 }
.c0 { stroke: #6e7781; color: #6e7781 } .c1 { stroke: #0969da; color: #0969da }
.c2 { stroke: #cf222e; color: #cf222e } .c3 { stroke: #54aeff; color: #54aeff }
.c4 { stroke: #bf8700; color: #bf8700 } circle { fill: currentColor }
.c3, .c4 { stroke-dasharray: 5 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117 } .grid { stroke: #30363d }
  .c0 { stroke: #8b949e; color: #8b949e } .c1 { stroke: #58a6ff; color: #58a6ff }
  .c2 { stroke: #ff7b72; color: #ff7b72 } .c3 { stroke: #1f6feb; color: #1f6feb }
  .c4 { stroke: #d29922; color: #d29922 }
}
"""
#: Subjects, as they begin, in the order of their colours.
ORDER = ("floor", "bare uvicorn", "soksak uvicorn", "bare daphne", "soksak daphne")


class Panel(NamedTuple):
    title: str
    figure: Callable[[Row], float]
    of_words: bool = False


class Curve(NamedTuple):
    colour: int
    points: list[tuple[float, float]]


PANELS = (
    Panel("added TTFT p95, ms", lambda row: row.mid(lambda cell: cell.seen.first_ms[1]), of_words=True),
    Panel("added token latency p95, ms", lambda row: row.mid(lambda cell: cell.seen.token_ms[1])),
    Panel("CPU a token, µs", lambda row: row.mid(lambda cell: cell.cpu_micros)),
)


def plot(cells: Sequence[Cell]) -> str:
    rows = [row for row in rows_of(cells, "load") if row.rate == RATE and words_of(row, cells).has_figures]
    width = LEFT + len(PANELS) * (WIDTH + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 48}" role="img">',
        "<title>Added latency and CPU by streams</title>", f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{TOP + HEIGHT + 48}"/>', *_legend(rows),
    ]
    for at, panel in enumerate(PANELS):
        shown = [words_of(row, cells) for row in rows] if panel.of_words else rows
        parts += [f'<g transform="translate({LEFT + at * (WIDTH + GAP)},{TOP})">', *_panel(panel, shown), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _colour(row: Row) -> int:
    return next((at for at, name in enumerate(ORDER) if row.subject.startswith(name)), 0)


def _legend(rows: Sequence[Row]) -> Iterator[str]:
    at = LEFT
    for name in ORDER:
        if any(row.subject.startswith(name) for row in rows):
            colour = ORDER.index(name)
            yield f'<polyline class="c{colour}" points="{at},24 {at + 26},24"/>'
            yield f'<text x="{at + 32}" y="28">{escape(name)}</text>'
            at += 62 + 8 * len(name)


def _panel(panel: Panel, rows: Sequence[Row]) -> Iterator[str]:
    curves = [_curve(panel, rows, colour) for colour in range(len(ORDER))]
    points = [point for curve in curves for point in curve.points]
    yield f'<text class="title" y="-12">{escape(panel.title)}</text>'
    if not points:
        return
    low, high = floor(min(y for _, y in points)), ceil(max(y for _, y in points))
    right = max(1.0, *(x for x, _ in points))
    yield from _grid(low, max(high, low + 1), sorted({x for x, _ in points}), right)
    for curve in curves:
        at = [(x / right * WIDTH, HEIGHT - (y - low) / max(1, high - low) * HEIGHT) for x, y in curve.points]
        yield f'<polyline class="c{curve.colour}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}"/>'
        yield from (f'<circle class="c{curve.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in at)


def _curve(panel: Panel, rows: Sequence[Row], colour: int) -> Curve:
    """Logarithms of streams and figure; of several databases of one subject, the first."""
    found = {row.streams: panel.figure(row) for row in reversed(rows) if _colour(row) == colour}
    return Curve(colour, [(log10(streams), log10(max(value, 0.01))) for streams, value in sorted(found.items())])


def _grid(low: int, high: int, streams: Sequence[float], right: float) -> Iterator[str]:
    for power in range(low, high + 1):
        y = HEIGHT - (power - low) / (high - low) * HEIGHT
        yield f'<line class="grid" x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    for x in streams:
        yield f'<text x="{x / right * WIDTH:.1f}" y="{HEIGHT + 18}" text-anchor="middle">{10**x:.0f}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT + 36}" text-anchor="middle">streams</text>'
