"""Costs and `size fit` count the same replicas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from steelyard.costs.inputs import default_inputs
from steelyard.costs.model import Plan, replicas_at
from steelyard.costs.simulated import utilisation
from steelyard.costs.volume import Demand
from steelyard.quantities import Unknown
from steelyard.sizing.capacity import Capacity, measured, replicas_for
from steelyard.sizing.objective import objective
from steelyard.usecase import Workload

TIMED = tuple(0.15 + 0.01 * (n % 17) for n in range(30))
OBJECTIVES = (objective("latency_p95 <= 800 ms"),)
BUSY = Workload(400_000, peak_to_mean=3.0, growth_per_month=0.05, horizon_months=12)


@pytest.mark.parametrize("workload", [BUSY, replace(BUSY, requests_per_day=20_000), replace(BUSY, growth_per_month=0)])
def test_costs_and_size_fit_count_the_same_replicas_now_and_in_the_last_month(workload: Workload) -> None:
    rate = 4.0
    share = utilisation(rate, TIMED, workload, OBJECTIVES, "own")
    assert not isinstance(share, Unknown)
    inputs = default_inputs()
    replica = replace(inputs.facts["replica_rate"], value=rate, low=rate, high=rate)
    peak = replace(inputs.facts["peak_to_mean"], value=workload.peak_to_mean)
    plan = Plan("own", "rented", inputs.with_facts([share, replica, peak]))
    demand = Demand(workload.requests_per_day, workload.growth_per_month, workload.horizon_months)
    volumes = demand.volumes(plan.inputs)[0]
    server = measured(rate, TIMED)
    for per_day in (volumes[0], volumes[-1]):
        found = replicas_for(per_day / 86_400 * workload.peak_to_mean, OBJECTIVES, server)
        assert isinstance(found, Capacity)
        assert float(replicas_at(plan, plan.inputs, per_day)) == found.count
    assert 0 < share.low <= share.value <= share.high <= 1


def test_where_a_large_fleet_is_used_better_later_months_may_count_one_too_many() -> None:
    """Today two replicas, of which neither may be fuller than 0.69; in the last month seven at 0.76 would do."""
    workload = Workload(60_000, peak_to_mean=4.0, growth_per_month=0.06, horizon_months=36)
    share = utilisation(4.0, TIMED, workload, (objective("latency_p95 <= 500 ms"),), "own")
    assert not isinstance(share, Unknown)
    server = measured(4.0, TIMED)
    peak = 60_000 / 86_400 * 4
    for load, more in ((peak, 0), (peak * 1.06**35, 1)):
        found = replicas_for(load, (objective("latency_p95 <= 500 ms"),), server)
        assert isinstance(found, Capacity)
        assert 0 <= math.ceil(load / (4.0 * share.value) - 1e-9) - found.count <= more


def test_a_tight_objective_leaves_less_of_the_rate() -> None:
    loose, tight = (
        utilisation(4.0, TIMED, BUSY, (objective(f"latency_p95 <= {limit} ms"),), "own") for limit in (3000, 400)
    )
    assert not isinstance(loose, Unknown) and not isinstance(tight, Unknown)
    assert tight.value < loose.value


def test_the_usual_share_stays_where_no_simulation_can_tell() -> None:
    assert isinstance(utilisation(4.0, TIMED[:5], BUSY, OBJECTIVES, "own"), Unknown)
    assert isinstance(utilisation(4.0, TIMED, BUSY, (objective("latency_p95 <= 10 ms"),), "own"), Unknown)
