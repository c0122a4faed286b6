"""A quantile with an interval that assumes nothing about the distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Estimated, Interval


def quantile(values: Sequence[float], q: float, unit: str, level: float = 0.95) -> Estimated:
    """The `q` quantile (0 < q < 1) of `values` as the nearest rank: the smallest value with at least q n at or below.

    The interval runs between two order statistics (David & Nagaraja, Order Statistics, 3rd ed., section 7.1): of
    all rank pairs r < s with P(r <= Binomial(n, q) < s) >= level the closest one, and of those the one whose two
    tails are most alike. Ranks are chosen without looking at the values, so the level holds for any continuous
    distribution. Below `needed_for(q, level)` values no pair reaches the level and the interval is Unknown.
    """
    if not 0 < q < 1:
        raise ValueError(f"no {q} quantile")
    n = len(values)
    if n == 0:
        return Unknown("nothing was measured")
    ordered = sorted(values)
    # The small step keeps 0.95 * 20 = 19.000000000000004 from becoming rank 20.
    value = ordered[max(1, math.ceil(q * n - 1e-9)) - 1]
    needed = needed_for(q, level)
    if n < needed:
        reason = f"a {100 * level:g} % interval takes {needed} values, and there are {n}"
        return Estimate(value, Unknown(reason), n, "nearest rank", unit)
    low, high = _ranks(n, q, level)
    interval = Interval(ordered[low - 1], ordered[high - 1], level)
    return Estimate(value, interval, n, "order-statistic interval", unit)


def needed_for(q: float, level: float = 0.95) -> int:
    """How many values it takes until smallest and largest enclose the `q` quantile with probability `level`."""
    n = 2
    while 1 - q**n - (1 - q) ** n < level:
        n += 1
    return n


def _ranks(n: int, q: float, level: float) -> tuple[int, int]:
    """1-based ranks (low, high) of the interval's ends."""
    import numpy as np
    from scipy.special import bdtr

    below = np.concatenate([[0.0], bdtr(np.arange(n), n, q)])  # below[r] = P(Binomial < r), r = 0..n
    low = np.arange(1, n)
    high = np.maximum(np.searchsorted(below, below[low] + level), low + 1)
    low, high = low[high <= n], high[high <= n]
    imbalance = np.abs(below[low] - (1 - below[high]))
    best = np.lexsort((imbalance, high - low))[0]
    return int(low[best]), int(high[best])
