"""Many worlds: every input drawn from its range, every plan costed in the same draws, under every scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.costs.break_even import Array
from steelyard.costs.model import Plan
from steelyard.costs.volume import Demand, month_costs

WORLDS, SEED = 1000, 7
LOW, HIGH = 5.0, 95.0
LEVEL = (HIGH - LOW) / 100


@dataclass(frozen=True)
class Band:
    """What one plan has cost by the end of each month: 5th, 50th and 95th percentile over the worlds, in USD."""

    candidate: str
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    p_cheapest: float


def worlds_of(plans: Sequence[Plan], demand: Demand, worlds: int = WORLDS, seed: int = SEED) -> Array:
    """USD by plan, world and month. World i has the same traffic, wages and prices of common things in every plan."""
    drawn = [month_costs(plan, plan.inputs.drawn(seed, worlds), demand) for plan in plans]
    return np.stack([np.broadcast_to(costs, (worlds, demand.months)) for costs in drawn])


def bands(names: Sequence[str], costs: Array) -> tuple[Band, ...]:
    """Cumulative cost of each plan, and how often it is the cheapest over all months together."""
    spent = costs.cumsum(axis=2)
    shares = share_cheapest(costs)
    found = []
    for i, name in enumerate(names):
        low, middle, high = (_row(np.percentile(spent[i], q, axis=0)) for q in (LOW, 50.0, HIGH))
        found.append(Band(name, low, middle, high, float(shares[i])))
    return tuple(found)


def share_cheapest(costs: Array) -> Array:
    """The share of worlds in which each plan costs least over the horizon."""
    best = costs.sum(axis=2).argmin(axis=0)
    return np.asarray(np.bincount(best, minlength=len(costs)) / costs.shape[1], float)


def total_band(costs: Array) -> tuple[float, float]:
    """5th and 95th percentile of one plan's total (worlds, months)."""
    low, high = np.percentile(costs.sum(axis=1), [LOW, HIGH])
    return float(low), float(high)


def _row(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
