"""The same items answered several times: how much of the doubt is in the items, how much in the answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Interval
from steelyard.stats.means import NO_SPREAD, mean, t_quantile


@dataclass(frozen=True)
class Repeats:
    """Variance of one answer's score, `between` items and `within` an item, and the mean both ways.

    `traffic`: the mean over traffic like these items. `items`: the mean over these very items, were each answered
    for ever. `answers` is the number of answers an item, `degrees` those of the variance within.
    """

    between: float
    within: float
    n_items: int
    answers: float
    degrees: int
    traffic: Estimate
    items: Estimate

    @property
    def within_share(self) -> float:
        """The share of the variance of a single answer that another try at the same item would show."""
        whole = self.between + self.within
        return self.within / whole if whole > 0 else 0.0

    def half_width(self, items: int, answers: float, level: float = 0.95) -> float:
        """Half the interval for traffic that so many items, answered so often each, would leave: what more buys."""
        variance = self.between / items + self.within / (items * answers)
        return t_quantile(level, items - 1) * math.sqrt(variance)


def repeats(scores: Sequence[Sequence[float]], level: float = 0.95) -> Repeats | Unknown:
    """Split the variance of scores in [0, 1]: one row an item, one score an answer; rows may differ in length.

    One-way random effects by the method of moments (Searle, Casella & McCulloch, Variance Components (1992), section
    3.6), negative components set to 0; with equal rows this is REML. The mean gives every item the same weight.
    """
    rows = [row for row in scores if row]
    count, total = len(rows), sum(len(row) for row in rows)
    if count < 2 or total == count:
        return Unknown("it takes two items and a second answer to split the variance")
    means = [math.fsum(row) / len(row) for row in rows]
    whole = math.fsum(value for row in rows for value in row) / total
    inside = math.fsum((value - m) ** 2 for row, m in zip(rows, means, strict=True) for value in row)
    across = math.fsum(len(row) * (m - whole) ** 2 for row, m in zip(rows, means, strict=True))
    degrees = total - count
    within = inside / degrees
    each = (total - math.fsum(len(row) ** 2 for row in rows) / total) / (count - 1)
    between = max(0.0, (across / (count - 1) - within) / each)
    traffic = mean(means, "share", level)
    assert isinstance(traffic, Estimate)
    error = math.sqrt(math.fsum(within / len(row) for row in rows)) / count
    half = t_quantile(level, degrees) * error
    interval: Interval | Unknown = Interval(max(0.0, traffic.value - half), min(1.0, traffic.value + half), level)
    if error < NO_SPREAD:
        interval = Unknown("no item was answered in two ways")
    items = Estimate(traffic.value, interval, count, "t interval from answers to one item", "share")
    return Repeats(between, within, count, total / count, degrees, traffic, items)
