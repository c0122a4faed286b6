"""A plan's cost over volume and over months: where its steps are, and what each month of the horizon costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.costs.break_even import Array, Staircase, staircase
from steelyard.costs.demand import SECONDS_PER_DAY
from steelyard.costs.inputs import Inputs, Number
from steelyard.costs.model import Plan, monthly

LOWEST, HIGHEST = 1.0, 1e8
MOST_STEPS = 400_000


@dataclass(frozen=True)
class Demand:
    """Requests a day now, growth a month (0.06 is 6 %), and over how many months costs are summed."""

    requests_per_day: float
    growth_per_month: float = 0.0
    months: int = 12

    @property
    def month(self) -> Array:
        """0, 1, 2, ... as a row: worlds are columns."""
        return np.arange(self.months, dtype=float)[None, :]

    def volumes(self, inputs: Inputs) -> Array:
        """Requests a day in each month, (worlds or 1, months): traffic and growth may differ from what was stated."""
        ratio, faster = _optional(inputs, "traffic_ratio", 1.0), _optional(inputs, "growth_change_per_month", 0.0)
        return np.asarray(self.requests_per_day * ratio * (1 + self.growth_per_month + faster) ** self.month)


def month_costs(plan: Plan, inputs: Inputs, demand: Demand) -> Array:
    """USD of each month, (worlds or 1, months), one-offs in the first."""
    return np.atleast_2d(np.asarray(monthly(plan, inputs, demand.volumes(inputs), demand.month).total, float))


def running(plan: Plan, requests_per_day: Array, month: float = 0.0) -> Array:
    """USD a month without what is paid once, at these volumes."""
    lines = monthly(plan, plan.inputs, requests_per_day, month)
    return np.broadcast_to(np.asarray(lines.total - lines.group("one-off"), float), requests_per_day.shape)


def over_volume(plans: Sequence[Plan], month: float = 0.0) -> tuple[Staircase, ...]:
    """The staircase of each plan's running cost, as far as MOST_STEPS machines go and at most to HIGHEST."""
    high = min([HIGHEST, *(MOST_STEPS * _replica_per_day(plan) for plan in plans if plan.has_machines)])

    def made(plan: Plan) -> Staircase:
        return staircase(plan.candidate, lambda at: running(plan, at, month), steps(plan, high, month), LOWEST, high)

    return tuple(made(plan) for plan in plans)


def steps(plan: Plan, high: float, month: float = 0.0) -> Array:
    """Volumes at which the running cost may jump or bend: another replica, a commitment reached, a minimum passed."""
    return np.unique(np.concatenate([_machine_steps(plan, high), _bill_steps(plan, month)]))


def _machine_steps(plan: Plan, high: float) -> Array:
    if not plan.has_machines or plan.replicas is not None:
        return np.array([])
    of, replica = plan.inputs, _replica_per_day(plan)
    whole = np.arange(1, np.floor(high / replica) + 2) * replica
    if plan.scaling == "around the clock" or plan.owned:
        return whole
    starting = of["cold_starts_per_day"] * (of["cold_start_minutes"] + of["idle_minutes_before_stop"]) / (24 * 60)
    busy = replica * float(of["peak_to_mean"] if plan.own_peak_to_mean is None else plan.own_peak_to_mean)
    caps = np.concatenate([[float(of["minimum_replicas"])], np.arange(1, np.floor(high / replica) + 2)])
    return np.concatenate([whole, (caps - starting) / (1 + of["autoscaling_waste"]) * busy])


def _bill_steps(plan: Plan, month: float) -> Array:
    if not plan.has_api:
        return np.array([])
    of = plan.inputs
    free = plan.inputs.using({"committed_usd_per_month": 0.0, "committed_discount": 0.0, "minimum_usd_per_month": 0.0})
    a_day = float(monthly(plan, free, 1.0, month).group("usage"))
    committed, discount = float(of["committed_usd_per_month"]), float(of["committed_discount"])
    floor = max(committed, float(of["minimum_usd_per_month"]))
    if a_day <= 0:
        return np.array([])
    return np.array([committed, floor, floor / (1 - discount) if discount < 1 else committed]) / a_day


def _replica_per_day(plan: Plan) -> float:
    """Requests a day of all traffic that one replica more makes room for."""
    of = plan.inputs
    share = float(plan.own_share) if plan.way == "hybrid" else 1.0
    peak = float(of["peak_to_mean"] if plan.own_peak_to_mean is None else plan.own_peak_to_mean)
    return float(of["replica_rate"] * of["utilisation"]) * SECONDS_PER_DAY / (peak * share)


def _optional(inputs: Inputs, name: str, otherwise: float) -> Number:
    return inputs[name] if name in inputs.facts else otherwise
