"""Bands and chances over many worlds, in which common things are common."""

from __future__ import annotations

import numpy as np
import pytest
from tests.costs.test_model import api_plan, fact, machine_plan

from steelyard.costs.volume import Demand, month_costs, over_volume, running
from steelyard.costs.worlds import bands, share_cheapest, worlds_of

DEMAND = Demand(20_000, 0.06, 36)


def test_the_same_seed_gives_the_same_worlds_and_another_one_others() -> None:
    plans = (api_plan(), machine_plan())
    first, again = (worlds_of(plans, DEMAND, 100, seed=1) for _ in range(2))
    assert first.shape == (2, 100, 36)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, worlds_of(plans, DEMAND, 100, seed=2))


def test_two_plans_that_are_the_same_cost_the_same_in_every_world() -> None:
    one, other = worlds_of((machine_plan(), machine_plan()), DEMAND, 50)
    assert np.array_equal(one, other)


def test_bands_rise_and_enclose_their_middle_and_chances_sum_to_one() -> None:
    costs = worlds_of((api_plan(), machine_plan()), DEMAND, 400)
    found = bands(("api", "own"), costs)
    for band in found:
        assert len(band.middle) == 36
        assert all(a <= b <= c for a, b, c in zip(band.low, band.middle, band.high, strict=True))
        assert list(band.middle) == sorted(band.middle)
    assert sum(band.p_cheapest for band in found) == pytest.approx(1)


def test_who_is_cheaper_in_a_third_of_the_worlds_has_a_chance_of_a_third() -> None:
    costs = np.array([[[1.0], [5.0], [5.0]], [[2.0], [2.0], [2.0]]])
    assert share_cheapest(costs) == pytest.approx([1 / 3, 2 / 3])


def test_a_known_range_is_met_by_the_worlds() -> None:
    """Rent drawn evenly around 2 USD an hour: the mean of the worlds is the cost at 2."""
    plan = machine_plan()
    still = plan.inputs.with_facts(fact(name, one.value) for name, one in plan.inputs.facts.items())
    ranged = still.with_facts([fact("rent_usd_per_hour", 2.0, 1.0, 3.0)])
    plan = type(plan)("own", "rented", ranged)
    costs = worlds_of((plan,), Demand(1000, 0, 3), 2000)[0].sum(axis=1)
    assert costs.mean() == pytest.approx(float(month_costs(plan, ranged, Demand(1000, 0, 3)).sum()), rel=1e-3)


def test_growth_compounds_month_by_month() -> None:
    plan = api_plan()
    volumes = DEMAND.volumes(plan.inputs)
    assert volumes.shape == (1, 36)
    assert volumes[0, 35] == pytest.approx(20_000 * 1.06**35)


def test_the_staircase_of_a_plan_is_its_cost_at_every_volume() -> None:
    """Commitment, discount and minimum on one side, whole machines, also with the load, on the other."""
    with_load = type(machine_plan())("busy", "rented", machine_plan().inputs, scaling="with the load")
    committed = api_plan(committed_usd_per_month=4000, committed_discount=0.15, minimum_usd_per_month=100)
    plans = (committed, machine_plan(), with_load)
    volumes = np.geomspace(2, 2e6, 3001)
    for plan, stairs in zip(plans, over_volume(plans), strict=True):
        told = np.array([stairs(float(at)) for at in volumes])
        assert told == pytest.approx(running(plan, volumes), rel=1e-6)


def test_traffic_and_growth_vary_and_are_the_same_for_every_plan() -> None:
    api, own = (DEMAND.volumes(plan.inputs.drawn(1, 200)) for plan in (api_plan(), machine_plan()))
    assert api.shape == (200, 36)
    assert np.array_equal(api, own)
    assert api[:, 0].min() < 15_000 < 27_000 < api[:, 0].max()
    assert np.ptp(api[:, 35] / api[:, 0]) > 1
