"""What each scenario changes, by hand, and the regret of today's choice."""

from __future__ import annotations

import numpy as np
import pytest
from tests.costs.test_model import api_plan, machine_plan

from steelyard.costs.model import monthly
from steelyard.costs.scenarios import SCENARIOS, outcomes
from steelyard.costs.volume import Demand, month_costs

DEMAND = Demand(20_000, 0.0, 24)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def extra(name: str, plan) -> np.ndarray:
    """USD that a scenario adds, month by month."""
    scenario = BY_NAME[name]
    told = month_costs(plan, scenario.inputs(plan.inputs, DEMAND), scenario.demand(DEMAND))
    return (told - month_costs(plan, plan.inputs, DEMAND))[0]


def test_a_day_without_the_vendor_costs_1440_minutes_once_and_own_machines_nothing() -> None:
    added = extra("a day's vendor outage", api_plan())
    assert added[11] == pytest.approx(1440 * api_plan().inputs["outage_usd_per_minute"])
    assert np.delete(added, 11) == pytest.approx(0)
    assert extra("a day's vendor outage", machine_plan()) == pytest.approx(0)


def test_a_retired_model_costs_one_qualification_in_month_twelve() -> None:
    of = api_plan().inputs
    wage = of["ml_engineer_usd_per_year"] / of["working_days_per_year"]
    tokens = 700 * 1 + 100 * 0.1 + 50 * 1.25 + 200 * 4
    one = (of["model_change_days"] + of["evaluation_days"]) * wage + of["evaluation_requests"] * tokens / 1e6
    added = extra("model deprecated in month 12", api_plan())
    assert added[11] == pytest.approx(one)
    assert added.sum() == pytest.approx(one)


def test_a_changed_licence_touches_own_machines_and_asks_for_the_review_again() -> None:
    of = machine_plan().inputs
    wage = of["ml_engineer_usd_per_year"] / of["working_days_per_year"]
    added = extra("licence change in month 12", machine_plan())
    assert added[11] == pytest.approx(
        (of["model_change_days"] + of["evaluation_days"]) * wage + of["compliance_usd_once"]
    )


def test_a_price_that_rises_by_half_a_year_is_half_as_much_again_after_twelve_months() -> None:
    scenario = BY_NAME["vendor price +50 % a year"]
    inputs = scenario.inputs(api_plan().inputs, DEMAND)
    now, later = (float(monthly(api_plan(), inputs, 1000, month).group("usage")) for month in (0, 12))
    assert later == pytest.approx(1.5 * now)


def test_ten_times_the_volume_is_ten_times_the_tokens() -> None:
    plan = api_plan(api_price_change_per_year=0)
    more = BY_NAME["volume x 10"].demand(DEMAND)
    assert more.volumes(plan.inputs) == pytest.approx(10 * DEMAND.volumes(plan.inputs))


def test_regret_is_what_the_choice_costs_more_than_the_winner() -> None:
    plans = (api_plan(), machine_plan())
    for outcome in outcomes(plans, DEMAND, "own", worlds=200):
        usd = {total.candidate: total.usd for total in outcome.totals}
        assert outcome.regret_usd == pytest.approx(usd["own"] - min(usd.values()))
        assert outcome.winner == min(usd, key=usd.__getitem__)
        assert 0 <= outcome.p_regret <= 1
        assert sum(total.p_cheapest for total in outcome.totals) == pytest.approx(1)
        for total in outcome.totals:
            assert total.low <= total.high


def test_a_short_horizon_still_has_the_event() -> None:
    short = Demand(20_000, 0.0, 6)
    scenario = BY_NAME["model deprecated in month 12"]
    plan = api_plan()
    told = month_costs(plan, scenario.inputs(plan.inputs, short), short) - month_costs(plan, plan.inputs, short)
    assert told[0, 5] > 0
