"""Charts of costs as SVG text: lines over volume or months with bands, and the tornado. Dashes differ as colours do."""

from __future__ import annotations

import math
from html import escape

from steelyard.report import numbers
from steelyard.report.blocks import Curve, Curves, Tornado
from steelyard.report.charts import FONT, Axis
from steelyard.report.labels import shortened, text_width

LEFT, TOP, BOTTOM, RIGHT = 84.0, 14.0, 48.0, 36.0
LEGEND_ROW, BAR_ROW = 18.0, 24.0
STYLES = 5
MARKS_SHOWN = 40
MONTH_LABEL = 30.0
LABEL = 86.0
"""Pixels that a label of nine digits takes."""
SMALLEST_USD = 0.01


def curves(chart: Curves, width: float, prefix: str) -> str:
    """One line a plan, in its own dash and colour, named in a legend; a dotted line where the cheapest changes."""
    height = max(260.0, min(380.0, width * 0.45)) + LEGEND_ROW * len(chart.curves)
    bottom = height - BOTTOM - LEGEND_ROW * len(chart.curves)
    xs = [x for curve in chart.curves for x, _ in curve.points]
    ys = [usd for curve in chart.curves for line in (curve.points, curve.low, curve.high) for _, usd in line]
    x = Axis(min(xs), max(xs), LEFT, width - RIGHT, log=chart.log)
    if chart.log:
        least = max(min(ys), SMALLEST_USD)
        y = Axis(least / 1.3, max(*ys, least) * 1.3, bottom, TOP, log=True)
    else:
        y = Axis(min(0.0, *ys), max(*ys, 1.0) * 1.05, bottom, TOP)
    shapes = [*_grid(chart, x, y, width, bottom)]
    for mark in chart.marks[:MARKS_SHOWN]:
        shapes.append(f'<line class="change" x1="{x(mark):.1f}" y1="{TOP}" x2="{x(mark):.1f}" y2="{bottom:.1f}"/>')
    for number, curve in enumerate(chart.curves):
        shapes += _curve(curve, number, x, y)
        at = bottom + BOTTOM + 4 + LEGEND_ROW * number
        style = f"s{number % STYLES}"
        shapes.append(f'<line class="curve {style}" x1="{LEFT}" y1="{at:.1f}" x2="{LEFT + 34}" y2="{at:.1f}"/>')
        name = escape(shortened(curve.name, FONT, width - LEFT - 60))
        shapes.append(f'<text x="{LEFT + 42}" y="{at + 4:.1f}">{name}</text>')
    return _svg(chart.title, chart.description, shapes, width, height, prefix)


def tornado(chart: Tornado, width: float, prefix: str) -> str:
    """A bar an input, from the lead at its low end to that at its high; red where another plan than as stated wins."""
    widest = max((text_width(swing.name, FONT) for swing in chart.swings), default=0.0)
    left = min(widest + 12, width * 0.42)
    height = TOP + BAR_ROW * len(chart.swings) + BOTTOM
    ends = [end for swing in chart.swings for end in (swing.low, swing.high)]
    low, high = min(0.0, chart.base, *ends), max(0.0, chart.base, *ends)
    room = (high - low or 1.0) * 0.04
    x = Axis(low - room, high + room, left, width - RIGHT)
    foot = height - BOTTOM
    shapes = []
    ticks = x.ticks(max(3, int((width - left) / 90)))
    for tick, text in zip(ticks, numbers.usd_axis(ticks), strict=True):
        shapes.append(f'<line class="grid" x1="{x(tick):.1f}" y1="{TOP}" x2="{x(tick):.1f}" y2="{foot:.1f}"/>')
        shapes.append(f'<text class="axis" x="{x(tick):.1f}" y="{foot + 16:.1f}" text-anchor="middle">{text}</text>')
    for row, swing in enumerate(chart.swings):
        top = TOP + BAR_ROW * row
        start, end = sorted((x(swing.low), x(swing.high)))
        turns = " turns" if swing.turns else ""
        name = escape(shortened(swing.name, FONT, left - 10))
        shapes.append(f'<text x="{left - 8:.1f}" y="{top + 15:.1f}" text-anchor="end">{name}</text>')
        shapes.append(
            f'<rect class="swing{turns}" x="{start:.1f}" y="{top + 4:.1f}" width="{max(end - start, 1):.1f}" '
            f'height="14" rx="2"/>'
        )
    for kind, usd in (("zero", 0.0), ("base", chart.base)):
        shapes.append(f'<line class="{kind}" x1="{x(usd):.1f}" y1="{TOP}" x2="{x(usd):.1f}" y2="{foot:.1f}"/>')
    middle = (left + width - RIGHT) / 2
    shapes.append(
        f'<text class="axis" x="{middle:.1f}" y="{height - 6:.1f}" text-anchor="middle">Lead over the best other, USD'
        "</text>"
    )
    return _svg(chart.title, chart.description, shapes, width, height, prefix)


def _curve(curve: Curve, number: int, x: Axis, y: Axis) -> list[str]:
    style = f"s{number % STYLES}"
    parts = []

    def path(points: tuple[tuple[float, float], ...]) -> str:
        return " ".join(f"{x(a):.1f},{y(max(usd, SMALLEST_USD) if y.log else usd):.1f}" for a, usd in points)

    if curve.low:
        parts.append(f'<polygon class="band {style}" points="{path(curve.low)} {path(curve.high[::-1])}"/>')
    parts.append(f'<polyline class="curve {style}" points="{path(curve.points)}"/>')
    return parts


def _grid(chart: Curves, x: Axis, y: Axis, width: float, bottom: float) -> list[str]:
    parts = []
    ticks = y.ticks()
    for tick, text in zip(ticks, numbers.usd_axis(ticks), strict=True):
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y(tick):.1f}" x2="{x.end:.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{text}</text>')
    for tick in _decades(x) if x.log else _months(x):
        parts.append(
            f'<text class="axis" x="{x(tick):.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{tick:,.0f}</text>'
        )
    said = f"{chart.x_title}; {chart.y_title}"
    middle = (LEFT + x.end) / 2
    parts.append(
        f'<text class="axis" x="{middle:.1f}" y="{bottom + 34:.1f}" text-anchor="middle">{escape(said)}</text>'
    )
    return parts


def _decades(axis: Axis) -> tuple[float, ...]:
    """Powers of ten, evenly apart and as many as there is room for."""
    first, last = math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high))
    room = max(1, int((axis.end - axis.start) / LABEL))
    step = max(1, math.ceil((last - first) / room))
    return tuple(float(10**power) for power in range(first, last + 1, step))


def _months(axis: Axis) -> tuple[float, ...]:
    """Months, as many as there is room for: every one, every second, third, sixth, then whole years."""
    room = max(1.0, (axis.end - axis.start) / MONTH_LABEL)
    step = next((step for step in (1, 2, 3, 6, 12, 24) if (axis.high - axis.low) / step <= room), 48)
    return tuple(float(month) for month in range(step, math.floor(axis.high) + 1, step))


def _svg(title: str, description: str, shapes: list[str], width: float, height: float, prefix: str) -> str:
    return (
        f'<svg class="costs-chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-text"><title id="{prefix}-title">{escape(title)}</title>'
        f'<desc id="{prefix}-text">{escape(description)}</desc>{"".join(shapes)}</svg>'
    )
