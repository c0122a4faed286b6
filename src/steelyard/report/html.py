"""Page -> one self-contained HTML file: no script, no request to anything."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from steelyard.report import charts, cost_charts
from steelyard.report.blocks import Curves, Leaderboard, Line, Page, Scatter, Tornado

STATUS_SIGNS = {"allowed": "✓", "conditional": "!", "forbidden": "✕", "unknown": "?"}
WIDE, NARROW = 880.0, 358.0
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|ms\b|s\b)")


def to_html(page: Page) -> str:
    """The whole document."""
    return _environment().get_template("report.html.j2").render(page=page, pairs=_pairs(page), style=_style())


def _pairs(page: Page) -> tuple[tuple[int, ...], ...]:
    """Indices of sections in rows: two halves that follow one another share a row."""
    rows: list[tuple[int, ...]] = []
    for index, section in enumerate(page.sections):
        half = section.half and rows and len(rows[-1]) == 1 and page.sections[rows[-1][0]].half
        if half:
            rows[-1] = (*rows[-1], index)
        else:
            rows.append((index,))
    return tuple(rows)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("steelyard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        dot=_dot, scatter=_scatter, cost_chart=_cost_chart, legend_mark=_legend_mark, signs=STATUS_SIGNS
    )
    return environment


def _unbroken(value: object) -> object:
    """A number and its unit stay on one line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _BEFORE_UNIT.sub("\u00a0", value)
    return value


def _dot(line: Line, board: Leaderboard) -> Markup:
    if line.quality is None:
        return Markup()
    return Markup(charts.dot(line.mark, line.quality, board.domain, line.name))


def _scatter(chart: Scatter) -> Markup:
    """The chart twice, drawn for a screen and for a phone; the style sheet shows one of them."""
    wide, narrow = charts.scatter(chart, WIDE, "wide"), charts.scatter(chart, NARROW, "narrow")
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(Markup(wide), Markup(narrow))


def _cost_chart(chart: Curves | Tornado, id: str) -> Markup:
    """Twice, as `_scatter`."""
    draw = cost_charts.curves if isinstance(chart, Curves) else cost_charts.tornado
    wide, narrow = (draw(chart, width, f"{id}-{name}") for width, name in ((WIDE, "wide"), (NARROW, "narrow")))  # type: ignore[arg-type]
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(Markup(wide), Markup(narrow))


def _legend_mark(mark: str) -> Markup:
    known = {"open", "proprietary", "baseline"}
    return Markup(charts.legend_mark(mark)) if mark in known else Markup()  # type: ignore[arg-type]


def _style() -> Markup:
    return Markup(files("steelyard.report").joinpath("templates", "style.css").read_text("utf-8"))
