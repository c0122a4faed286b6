"""Own machines for the base load, an API for what is above: the best number of machines, by trying every one.

The number of replicas is whole, and for each the part of the week's traffic that they can carry follows from the curve.
So all there is to choose is listed, none is missed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from steelyard.costs.break_even import Array
from steelyard.costs.demand import SECONDS_PER_DAY
from steelyard.costs.model import Plan, monthly
from steelyard.costs.volume import running

HOURS = 24


@dataclass(frozen=True)
class Split:
    """So many replicas carry `own_share` of all requests; the rest goes to the API. `usd` is a month's running cost."""

    replicas: int
    own_share: float
    usd: float


@dataclass(frozen=True)
class Hybrid:
    """The best split of two plans, beside each of them alone, at one volume. `splits` are all that were compared.

    Split 0 is the API alone, the last one own machines alone.
    """

    own: str
    api: str
    best: Split
    splits: tuple[Split, ...]

    @property
    def saves_usd(self) -> float:
        """What the best split costs less a month than the better of the two alone; 0 when one of them is the best."""
        return min(self.splits[0].usd, self.splits[-1].usd) - self.best.usd


@cache
def day(peak_to_mean: float) -> tuple[float, ...]:
    """Traffic in each hour over the day's mean: one smooth hill a day whose top is `peak_to_mean`.

    The shape is exp(k cos t), k found by bisection; nothing but the peak is known of a study's day. Give measured
    hours where there are some.
    """
    angle = 2 * math.pi * np.arange(HOURS) / HOURS

    def hill(k: float) -> Array:
        rates = np.exp(k * (np.cos(angle) - 1))
        return np.asarray(rates / rates.mean(), float)

    low, high = 0.0, 700.0
    target = min(max(peak_to_mean, 1.0), float(HOURS))
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if hill(middle).max() < target else (low, middle)
    return tuple(float(rate) for rate in hill(low))


def hybrid(
    own: Plan, api: Plan, requests_per_day: float, *, hours: Sequence[float] = (), must_stay: float = 0.0
) -> Hybrid:
    """Every number of replicas from none to those that carry the peak; `must_stay` of the requests may not leave.

    `hours`: relative traffic in equal parts of a day or week. Requests that may not leave take room first, in every
    hour. Own machines are filled before anything leaves: they are paid whether they are busy or not.
    """
    rates = np.asarray(hours or day(float(own.inputs["peak_to_mean"])), float)
    a_second = requests_per_day / SECONDS_PER_DAY * rates / rates.mean()
    usable = float(own.inputs["replica_rate"] * own.inputs["utilisation"])
    most = max(1, math.ceil(float(a_second.max()) / usable - 1e-9))
    least = math.ceil(float(a_second.max()) * must_stay / usable - 1e-9)
    counts = np.arange(max(1, least), most)
    splits = [] if least else [Split(0, 0.0, _alone(api, requests_per_day))]
    if len(counts):
        carried = np.minimum(a_second[None, :], counts[:, None] * usable).sum(axis=1) / a_second.sum()
        both = replace(own.beside(api, carried), replicas=counts.astype(float))
        lines = monthly(both, both.inputs, requests_per_day, 0.0)
        costs = np.broadcast_to(np.asarray(lines.total - lines.group("one-off"), float), counts.shape)
        splits += [Split(int(n), float(s), float(c)) for n, s, c in zip(counts, carried, costs, strict=True)]
    splits.append(Split(most, 1.0, _alone(replace(own, replicas=float(most)), requests_per_day)))
    best = min(splits, key=lambda split: split.usd)
    return Hybrid(own.candidate, api.candidate, best, tuple(splits))


def _alone(plan: Plan, requests_per_day: float) -> float:
    return float(running(plan, np.array([requests_per_day]))[0])
