"""A mean with its t interval, robust to clusters where items come in groups."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Estimated, Interval
from steelyard.stats.proportion import ONE_ITEM


@dataclass(frozen=True)
class Spread:
    """The standard error of a mean, the groups it rests on (items, if there are no clusters), and its name."""

    standard_error: float
    groups: int
    method: str


def mean(
    values: Sequence[float], unit: str, level: float = 0.95, clusters: Sequence[Hashable] | None = None
) -> Estimated:
    """The mean of `values`; Unknown when there are none. `clusters` names each value's group, in the same order."""
    if not values:
        return Unknown("no items were scored")
    middle = math.fsum(values) / len(values)
    around = spread(values, clusters)
    if isinstance(around, Unknown):
        return Estimate(middle, around, len(values), "mean", unit)
    half = t_quantile(level, around.groups - 1) * around.standard_error
    return Estimate(middle, Interval(middle - half, middle + half, level), len(values), around.method, unit)


def spread(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Spread | Unknown:
    """The standard error of the mean of `values`; Unknown with fewer than two items or two clusters.

    With clusters: squared sums of the deviations of each cluster, times G/(G-1), and G-1 degrees of freedom
    (Cameron & Miller, Journal of Human Resources 50 (2015), section II; for evaluations Miller, arXiv
    2411.00640, section 2.2, who leaves the G/(G-1) out). Clusters of one item each give the ordinary t interval.
    """
    n = len(values)
    groups: Sequence[Hashable] = range(n) if clusters is None else clusters
    if len(groups) != n:
        raise ValueError(f"{n} values, {len(groups)} cluster names")
    middle = math.fsum(values) / n if n else 0.0
    sums: dict[Hashable, float] = {}
    for value, group in zip(values, groups, strict=True):
        sums[group] = sums.get(group, 0.0) + value - middle
    count = len(sums)
    if count < 2:
        return Unknown(ONE_ITEM if n < 2 else "all items are in one cluster")
    variance = count / (count - 1) * math.fsum(total * total for total in sums.values()) / n**2
    method = "t interval" if count == n else f"t interval, robust to {count} clusters"
    return Spread(math.sqrt(variance), count, method)


def t_quantile(level: float, degrees: int) -> float:
    """The two-sided critical value of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + level) / 2))


def t_p_value(t: float, degrees: int) -> float:
    """The two-sided p-value of a t statistic."""
    from scipy.special import stdtr

    return min(1.0, 2 * float(stdtr(degrees, -abs(t))))
