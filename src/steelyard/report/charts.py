"""Charts as SVG text: shapes carry the meaning together with colour, points are links, titles tell it in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Mark, Point, Scatter
from steelyard.report.labels import Box, Label, beside, column, column_height, shortened, text_width
from steelyard.stats import Estimate

FONT = 12.0
MARGIN_LEFT, MARGIN_TOP, MARGIN_BOTTOM, MARGIN_RIGHT = 46.0, 30.0, 46.0, 14.0
LONGEST_SHARE = 0.46  # of the width, that a label beside its point may take


@dataclass(frozen=True)
class Axis:
    """Values to pixels; logarithmic where the values span a factor of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> tuple[float, ...]:
        """Round values on the axis, `most` at most."""
        steps = _log_ticks(self.low, self.high) if self.log else _linear_ticks(self.low, self.high, most)
        while len(steps) > most:
            steps = steps[::2]
        return steps


def shape(mark: Mark, x: float, y: float, radius: float, extra: str = "") -> str:
    """Circle = open, square = proprietary, diamond = baseline."""
    name = f'class="mark {mark}{extra}"'
    if mark == "open":
        return f'<circle {name} cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
    if mark == "proprietary":
        half = radius * 0.9
        side = f"{2 * half:.1f}"
        return f'<rect {name} x="{x - half:.1f}" y="{y - half:.1f}" width="{side}" height="{side}" rx="1"/>'
    reach = radius * 1.3
    corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
    return f'<polygon {name} points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}"/>'


def legend_mark(mark: Mark) -> str:
    """A mark alone, as decoration of a word that says the same."""
    return f'<svg class="key" viewBox="0 0 14 14" aria-hidden="true" focusable="false">{shape(mark, 7, 7, 5)}</svg>'


def dot(mark: Mark, estimate: Estimate, domain: tuple[float, float], name: str) -> str:
    """One candidate's value with its interval as a bar, on the leaderboard's shared axis."""
    axis = Axis(*domain, 6, 194)
    parts = ['<line class="track" x1="0" y1="11" x2="200" y2="11"/>']
    for tick in axis.ticks():
        parts.append(f'<line class="tick" x1="{axis(tick):.1f}" y1="8" x2="{axis(tick):.1f}" y2="14"/>')
    if not isinstance(estimate.interval, Unknown):
        low, high = axis(estimate.interval.low), axis(estimate.interval.high)
        parts.append(
            f'<line class="whisker {mark}" x1="{low:.1f}" y1="11" x2="{high:.1f}" y2="11" stroke-linecap="round"/>'
        )
    parts.append(shape(mark, axis(estimate.value), 11, 5.5))
    said = escape(f"{name}: {numbers.with_interval(estimate)}")
    opening = f'<svg class="dot" viewBox="0 0 200 22" role="img" aria-label="{said}"><title>{said}</title>'
    return f"{opening}{''.join(parts)}</svg>"


def scatter(chart: Scatter, width: float, prefix: str) -> str:
    """Quality against cost with the front of those that nobody beats on both; each point links to its row."""
    plan = layout(chart.points, width)
    shapes = [*_grid(plan, chart), _front(plan, chart.points)]
    shapes += [_whisker(plan, point) for point in chart.points]
    for label in plan.labels:
        if label.leader:
            x1, y1, x2, y2 = label.leader
            shapes.append(f'<line class="leader" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for point, label in zip(chart.points, plan.labels, strict=True):
        shapes.append(_point(plan, point, label))
    return (
        f'<svg class="scatter" viewBox="0 0 {width:.0f} {plan.height:.0f}" role="group" '
        f'aria-labelledby="{prefix}-title {prefix}-text">'
        f'<title id="{prefix}-title">{escape(chart.title)}</title>'
        f'<desc id="{prefix}-text">{escape(chart.description)}</desc>{"".join(shapes)}</svg>'
    )


@dataclass(frozen=True)
class Layout:
    """Axes, size and placed labels of a scatter."""

    x: Axis
    y: Axis
    width: float
    height: float
    plot: Box
    labels: tuple[Label, ...]


def layout(points: Sequence[Point], width: float) -> Layout:
    """Labels beside their points if all fit; else a column at the right, and the chart as tall as that needs."""
    height = max(300.0, min(440.0, width * 0.52))
    plot = Box(MARGIN_LEFT, MARGIN_TOP, width - MARGIN_RIGHT, height - MARGIN_BOTTOM)
    names = [shortened(point.name, FONT, width * LONGEST_SHARE) for point in points]
    x, y = _axes(points, plot)
    spots = [(x(point.usd), y(point.quality.value)) for point in points]
    near = beside(spots, names, FONT, Box(plot.left + 2, 16, width - 2, plot.bottom - 2), _lines(points, x, y))
    if near:
        return Layout(x, y, width, height, plot, near)
    widest = max(text_width(point.name, FONT) for point in points)
    gutter = min(widest + 4, width * 0.45)
    height = max(height, MARGIN_TOP + MARGIN_BOTTOM + column_height(len(points), FONT) + 8)
    plot = Box(MARGIN_LEFT, MARGIN_TOP, width - gutter - 30, height - MARGIN_BOTTOM)
    x, y = _axes(points, plot)
    spots = [(x(point.usd), y(point.quality.value)) for point in points]
    frame = Box(width - gutter, MARGIN_TOP - 8, width, plot.bottom)
    return Layout(x, y, width, height, plot, column(spots, _distinct(points, gutter), FONT, frame))


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """Those that nobody beats on both, cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.usd, -p.quality.value)):
        if not best or point.quality.value > best[-1].quality.value:
            best.append(point)
    return tuple(best)


def _distinct(points: Sequence[Point], room: float) -> list[str]:
    """Names for a column of this width; where cutting makes two alike, each gets its number in the chart's table."""
    names = [point.name for point in points]
    if len({shortened(name, FONT, room) for name in names}) == len(names):
        return names
    return [f"{number} {name}" for number, name in enumerate(names, 1)]


def _axes(points: Sequence[Point], plot: Box) -> tuple[Axis, Axis]:
    cost = [point.usd for point in points]
    low, high = min(cost), max(cost)
    log = low > 0 and high / low >= 10
    if log:
        x = Axis(low / 1.6, high * 1.6, plot.left, plot.right, log=True)
    else:
        x = Axis(0.0, high * 1.15 or 1.0, plot.left, plot.right)
    ends = [point.quality.value for point in points]
    for point in points:
        if not isinstance(point.quality.interval, Unknown):
            ends += [point.quality.interval.low, point.quality.interval.high]
    step = 0.05 if points[0].quality.unit == "share" else ((max(ends) - min(ends)) / 8 or 1.0)
    bottom, top = math.floor(min(ends) / step - 0.1) * step, math.ceil(max(ends) / step + 0.1) * step
    return x, Axis(bottom, top, plot.bottom, plot.top)


def _grid(plan: Layout, chart: Scatter) -> list[str]:
    parts = []
    plot = plan.plot
    unit = chart.points[0].quality.unit
    for tick in plan.y.ticks():
        at = plan.y(tick)
        text = f"{tick * 100:.0f} %" if unit == "share" else escape(numbers.figure(tick, unit))
        parts.append(f'<line class="grid" x1="{plot.left:.1f}" y1="{at:.1f}" x2="{plot.right:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="axis" x="{plot.left - 8:.1f}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    ticks = plan.x.ticks(max(3, min(7, int((plot.right - plot.left) / 75))))
    for tick, text in zip(ticks, numbers.usd_axis(ticks), strict=True):
        at = plan.x(tick)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" y1="{plot.bottom:.1f}" x2="{at:.1f}" y2="{plot.bottom + 4:.1f}"/>'
        )
        parts.append(f'<text class="axis" x="{at:.1f}" y="{plot.bottom + 18:.1f}" text-anchor="middle">{text}</text>')
    scale = " (log scale)" if plan.x.log else ""
    title = f"Cost per 1,000 requests, USD{scale}"
    middle = max((plot.left + plot.right) / 2, text_width(title, FONT) / 2)
    span = numbers.level(chart.points[0].quality)
    bars = f", {span} interval" if span else ""
    parts.append(f'<text class="axis" x="{middle:.1f}" y="{plan.height - 6:.1f}" text-anchor="middle">{title}</text>')
    parts.append(f'<text class="axis" x="4" y="11">{escape(chart.metric + bars)}</text>')
    return parts


def _front(plan: Layout, points: Sequence[Point]) -> str:
    best = front(points)
    path = f"M{plan.x(best[0].usd):.1f},{plan.plot.bottom:.1f}"
    for point in best:
        path += f"H{plan.x(point.usd):.1f}V{plan.y(point.quality.value):.1f}"
    path += f"H{plan.plot.right:.1f}"
    area = f"{path}V{plan.plot.bottom:.1f}Z"
    return f'<path class="beaten" d="{area}"/><path class="front" d="{path}"/>'


def _whisker(plan: Layout, point: Point) -> str:
    if isinstance(point.quality.interval, Unknown):
        return ""
    at, low, high = plan.x(point.usd), plan.y(point.quality.interval.low), plan.y(point.quality.interval.high)
    return f'<line class="stem {point.mark}" x1="{at:.1f}" y1="{low:.1f}" x2="{at:.1f}" y2="{high:.1f}"/>'


def _lines(points: Sequence[Point], x: Axis, y: Axis) -> list[Box]:
    """The bars of the intervals and the dashed front: labels go there only when nothing else is free."""
    boxes = []
    for point in points:
        if not isinstance(point.quality.interval, Unknown):
            at = x(point.usd)
            boxes.append(Box(at - 2, y(point.quality.interval.high), at + 2, y(point.quality.interval.low)))
    best = front(points)
    for point, following in zip(best, (*best[1:], None), strict=True):
        height, end = y(point.quality.value), x(following.usd) if following else x.end
        boxes.append(Box(x(point.usd), height - 2, end, height + 2))
        if following:
            boxes.append(Box(end - 2, y(following.quality.value), end + 2, height))
    return boxes


def _point(plan: Layout, point: Point, label: Label) -> str:
    x, y = plan.x(point.usd), plan.y(point.quality.value)
    strong = " strong" if point.winner else ""
    baseline = label.box.top + (label.box.bottom - label.box.top) * 0.74
    box = label.box
    at = {"start": box.left, "middle": (box.left + box.right) / 2, "end": box.right}[label.side]
    return (
        f'<a href="#{point.anchor}" aria-label="{escape(point.text)}"><title>{escape(point.text)}</title>'
        f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="12"/>{shape(point.mark, x, y, 6.0, strong)}</a>'
        f'<text class="label{strong}" x="{at:.1f}" y="{baseline:.1f}" text-anchor="{label.side}" aria-hidden="true">'
        f"{escape(label.text)}</text>"
    )


def _linear_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(index * step for index in range(first, math.floor(high / step + 1e-9) + 1))


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    ticks = [
        times * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for times in (1, 2, 5)
    ]
    return tuple(tick for tick in ticks if low <= tick <= high)
