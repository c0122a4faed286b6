"""The part of a measured replica's rate that can be planned for at the peak: what its latency objective leaves.

The same simulation as `steelyard size fit`, so that both count the same replicas, now and in the last month.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from steelyard.costs.inputs import Input
from steelyard.quantities import Unknown
from steelyard.sizing.capacity import ENOUGH, Capacity, measured, most_share, replicas_for
from steelyard.sizing.objective import Objective
from steelyard.usecase import Workload

A_HAIR = 1e-6


def utilisation(
    throughput_per_second: float,
    seconds: Sequence[float],
    workload: Workload,
    objectives: Sequence[Objective],
    own: str,
) -> Input | Unknown:
    """Unknown where too few requests were timed, or where no number of replicas keeps the objective."""
    if len(seconds) < ENOUGH:
        return Unknown(f"fewer than {ENOUGH} requests were timed")
    share = _share(throughput_per_second, tuple(seconds), workload, tuple(objectives))
    if isinstance(share, Unknown):
        return share
    asked = ", ".join(one.text for one in objectives)
    source = f"simulated for {asked} at the peak, as `steelyard size fit` does; range: first to last month"
    low, value, high = share
    return Input("utilisation", value, low, high, "share", source, "", own=own)


@lru_cache(maxsize=64)
def _share(
    rate: float, seconds: tuple[float, ...], workload: Workload, objectives: tuple[Objective, ...]
) -> tuple[float, float, float] | Unknown:
    """The largest share that gives the replicas of the simulation in the first and in the last month, and its range.

    So many are counted while the peak lies above (n - 1) and up to n usable rates. Where no share does for both months
    (a large fleet is used better than a small one), the first month's: later ones may count one too many, none too few.
    """
    server = measured(rate, seconds)
    peak = workload.requests_per_day / 86_400 * workload.peak_to_mean
    last = peak * (1 + workload.growth_per_month) ** max(0, workload.horizon_months - 1)
    bounds, most = [], []
    for load in (peak, last):
        found = replicas_for(load, objectives, server)
        if not isinstance(found, Capacity):
            return found
        n = found.count
        most.append(most_share(server, objectives, found, n))
        bounds.append((load / rate / n, load / rate / (n - 1) * (1 - A_HAIR) if n > 1 else np.inf))
    low, high = max(one[0] for one in bounds), min(one[1] for one in bounds)
    if low > high:
        low, high = bounds[0]
    value = min(max(low, most[1]), high)
    return min(value, *most), value, max(value, *most)
