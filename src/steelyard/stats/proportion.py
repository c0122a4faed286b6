"""A share of items with its Wilson score interval."""

from __future__ import annotations

import math
from statistics import NormalDist

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Estimated, Interval

ONE_ITEM = "one item has no interval"


def wilson(successes: float, n: int, level: float = 0.95, unit: str = "share") -> Estimated:
    """`successes` of `n` items as a share; Unknown when there are no items.

    Wilson (1927), in the form of Brown, Cai & DasGupta, Statistical Science 16 (2001), eq. 4: no continuity
    correction. It keeps its level near 0 and 1 and at small n, where the textbook interval collapses to a point.
    """
    if n == 0:
        return Unknown("no items were scored")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} items")
    share = successes / n
    if n < 2:
        return Estimate(share, Unknown(ONE_ITEM), n, "share", unit)
    z = NormalDist().inv_cdf((1 + level) / 2)
    return Estimate(share, score_interval(share, n, z, level), n, "Wilson score interval", unit)


def score_interval(share: float, n: float, critical: float, level: float) -> Interval:
    """Wilson's interval for `n` items, whole or effective; its ends are `critical` deviations off."""
    z = critical
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and 1 the bound is exactly the share; rounding must not move it past.
    return Interval(min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), level)
