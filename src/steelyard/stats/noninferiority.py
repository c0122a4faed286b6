"""Not worse by more than a margin: on these items, and on traffic like them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Interval
from steelyard.stats.paired import score_test
from steelyard.stats.proportion import ONE_ITEM


@dataclass(frozen=True)
class NonInferiority:
    """`items`: first minus second over a finite set of items; `traffic`: over all traffic that these were drawn from.

    The p-values are two-sided, of the difference being exactly -margin, where it is above; else 1. So p < 0.05 when
    the 95 % interval ends above -margin, and a claim is false in at most 2.5 % of studies.
    """

    margin: float
    items: Estimate
    traffic: Estimate
    p_items: float
    p_traffic: float


def noninferiority(
    first: Sequence[float],
    second: Sequence[float],
    margin: float,
    clusters: Sequence[Hashable] | None = None,
    population: int | None = None,
    level: float = 0.95,
) -> NonInferiority | Unknown:
    """Whether `first` is less than `margin` worse than `second`, the margin being fixed before the run.

    `population`: how many items the finite set holds (None: just these). Once all of them were answered, the
    difference over them is known exactly; a random part of n leaves the share 1 - n / population of the variance
    (Cochran, Sampling Techniques, 3rd ed., section 2.6), inside what the missing items could still do at most.
    """
    if not 0 <= margin < 1:
        raise ValueError(f"a margin of {margin}")
    n = len(first)
    if n == 0:
        return Unknown("no item was scored for both")
    test = score_test(first, second, clusters)
    total = math.fsum(a - b for a, b in zip(first, second, strict=True))
    value, whole = total / n, max(n, population or n)
    known = Estimate(value, Interval(value, value, level), n, "every one of these items", "share")
    p_known = 0.0 if value > -margin else 1.0
    if isinstance(test, Unknown):
        traffic = Estimate(value, test, n, "paired difference", "share")
        part = Estimate(value, Unknown(ONE_ITEM), n, "paired difference", "share")
        return NonInferiority(margin, known if whole == n else part, traffic, p_known if whole == n else 1.0, 1.0)
    traffic = Estimate(value, test.interval(level), n, test.method, "share")
    p_traffic = test.p_value(-margin) if value > -margin else 1.0
    if whole == n:
        return NonInferiority(margin, known, traffic, p_known, p_traffic)
    closer = test.among(n, whole)
    at_least, at_most = (total - (whole - n)) / whole, (total + (whole - n)) / whole
    span = closer.interval(level)
    span = Interval(max(span.low, at_least), min(span.high, at_most), level)
    items = Estimate(value, span, n, f"{test.method}, {n} of {whole} items", "share")
    certain = 0.0 if at_least > -margin else 1.0
    p_items = min(certain, closer.p_value(-margin) if value > -margin else 1.0)
    return NonInferiority(margin, items, traffic, p_items, p_traffic)
