"""Who is cheapest where: costs that rise in steps, compared exactly.

Machines are whole, so cost is a staircase in volume and two ways may change places many times. Nothing is sampled:
between two steps cost is linear, so every place where the order changes is solved for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
LINEAR_WITHIN = 1e-6
"""How far, as a share of the cost, the middle of a piece may lie off its line: more means that a step was left out."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """A cost in USD over volume (or time): straight on each piece (edges[i], edges[i + 1]], with jumps between.

    `left[i]` is the cost right after edges[i], `right[i]` the cost at edges[i + 1].
    """

    name: str
    edges: Array
    left: Array
    right: Array

    def __call__(self, at: float) -> float:
        """The cost at one place; a jump counts from right after its edge."""
        piece = min(max(int(np.searchsorted(self.edges, at, side="left")) - 1, 0), len(self.left) - 1)
        start, end = self.edges[piece], self.edges[piece + 1]
        return float(self.left[piece] + (self.right[piece] - self.left[piece]) * (at - start) / (end - start))


@dataclass(frozen=True)
class Span:
    """From right after `start` to `end`, `cheapest` costs least. `by_step`: it begins at a jump."""

    start: float
    end: float
    cheapest: str
    by_step: bool = False


def staircase(name: str, cost: Callable[[Array], Array], steps: Array, low: float, high: float) -> Staircase:
    """The staircase of a function that is linear between `steps` (the largest volume before each jump or bend).

    ValueError where it is not: then a step is missing, and the answer would not be exact.
    """
    inner = np.unique(steps[(steps > low) & (steps < high)])
    edges = np.concatenate(([low], inner, [high]))
    width = np.diff(edges)
    first, middle, last = (np.asarray(cost(edges[:-1] + width * share), float) for share in (0.25, 0.5, 0.75))
    bend = np.abs(middle - (first + last) / 2)
    crooked = bend > LINEAR_WITHIN * np.maximum(np.abs(middle), 1e-9)
    if crooked.any():
        at = int(np.argmax(crooked))
        raise ValueError(f"the cost of {name} is not linear between {edges[at]:g} and {edges[at + 1]:g}")
    half = (last - first) / 2
    return Staircase(name, edges, first - half, last + half)


def over_time(name: str, at_once: Sequence[float], running: Sequence[float]) -> Staircase:
    """What has been spent by each moment, in months: `at_once` when a month begins, `running` evenly through it."""
    once, monthly = np.asarray(at_once, float), np.asarray(running, float)
    right = np.cumsum(once + monthly)
    return Staircase(name, np.arange(len(monthly) + 1, dtype=float), right - monthly, right)


def month_by_month(name: str, costs: Sequence[float]) -> Staircase:
    """Each month's cost, over time in months."""
    values = np.asarray(costs, float)
    return Staircase(name, np.arange(len(values) + 1, dtype=float), values, values)


def cheapest(stairs: Sequence[Staircase]) -> tuple[Span, ...]:
    """Every span with its cheapest, in order, over the range that all have in common.

    Between equals the earlier one in `stairs` keeps the place until another is really cheaper.
    """
    low, high = max(one.edges[0] for one in stairs), min(one.edges[-1] for one in stairs)
    edges = np.unique(np.concatenate([one.edges for one in stairs]))
    edges = edges[(edges >= low) & (edges <= high)]
    left, right = (np.stack(side) for side in zip(*(_on(one, edges) for one in stairs), strict=True))
    spans: list[Span] = []

    def enter(start: float, who: int, by_step: bool) -> None:
        if spans and spans[-1].cheapest == stairs[who].name:
            return
        if spans:
            spans[-1] = Span(spans[-1].start, start, spans[-1].cheapest, spans[-1].by_step)
        spans.append(Span(start, float(high), stairs[who].name, by_step and bool(spans)))

    best_left, best_right = _least(left, right), _least(right, left)
    steady = best_left == best_right
    news = np.concatenate(([True], best_left[1:] != best_right[:-1])) | ~steady
    for piece in np.flatnonzero(news):
        start, width = float(edges[piece]), float(edges[piece + 1] - edges[piece])
        enter(start, int(best_left[piece]), by_step=True)
        if not steady[piece]:
            for share, who in _changes(left[:, piece], right[:, piece], int(best_left[piece])):
                enter(start + share * width, who, by_step=False)
    return tuple(spans)


def drawn(stairs: Staircase, most: int = 160) -> tuple[tuple[float, float], ...]:
    """(volume, cost) for a line on a logarithmic axis: the first steps exactly, then points close enough to be seen."""
    shown = min(len(stairs.left), most // 2)
    points = [
        (float(at), float(cost))
        for piece in range(shown)
        for at, cost in (
            (stairs.edges[piece], stairs.left[piece]),
            (stairs.edges[piece + 1], stairs.right[piece]),
        )
    ]
    between = np.geomspace(stairs.edges[0], stairs.edges[-1], most)
    exact_to = stairs.edges[shown] if shown < len(stairs.left) else stairs.edges[-1]
    points += [(float(at), stairs(float(at))) for at in between[1:] if at > exact_to]
    inside = between[(between > stairs.edges[0]) & (between < exact_to)]
    points += [(float(at), stairs(float(at))) for at in inside]
    return tuple(sorted(points, key=lambda point: point[0]))


def _on(stairs: Staircase, edges: Array) -> tuple[Array, Array]:
    """`left` and `right` of a staircase on finer edges."""
    piece = np.clip(np.searchsorted(stairs.edges, edges[:-1], side="right") - 1, 0, len(stairs.left) - 1)
    start = stairs.edges[piece]
    slope = (stairs.right[piece] - stairs.left[piece]) / (stairs.edges[piece + 1] - start)
    first = stairs.left[piece] + slope * (edges[:-1] - start)
    return first, np.where(edges[1:] == stairs.edges[piece + 1], stairs.right[piece], first + slope * np.diff(edges))


def _least(costs: Array, then: Array) -> NDArray[np.intp]:
    """Who costs least in each column; of those that are equal, who costs least in `then`."""
    tied = costs == costs.min(axis=0)
    least: NDArray[np.intp] = np.argmin(np.where(tied, then, np.inf), axis=0)
    return least


def _changes(left: Array, right: Array, who: int) -> list[tuple[float, int]]:
    """Inside one piece: at which share of its width who takes over, from `who` at its left end on."""
    found: list[tuple[float, int]] = []
    reached = 0.0
    while True:
        gain = (right - left) - (right[who] - left[who])
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.where(gain < 0, (left - left[who]) / -gain, np.inf)
        meet[who] = np.inf
        share = float(meet.min())
        if not share < 1.0:
            return found
        level = np.flatnonzero(meet == share)
        who = int(level[np.argmin(right[level])])
        reached = max(reached, share)
        found.append((reached, who))
