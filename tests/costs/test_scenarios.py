"""What each scenario changes, by hand, and the regret of today's choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.costs.test_model import api_plan, machine_plan

from steelyard.costs.inputs import default_inputs
from steelyard.costs.model import Plan, monthly
from steelyard.costs.scenarios import SCENARIOS, outcomes
from steelyard.costs.volume import Demand, month_costs

DEMAND = Demand(20_000, 0.0, 24)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def extra(name: str, plan) -> np.ndarray:
    """USD that a scenario adds, month by month."""
    scenario = BY_NAME[name]
    told = month_costs(plan, scenario.inputs(plan, plan.inputs, DEMAND), scenario.demand(DEMAND))
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
    inputs = scenario.inputs(api_plan(), api_plan().inputs, DEMAND)
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


TOKENS = ("fresh", "cached", "written", "output", "reasoning")
OFFER = (*(f"{kind}_tokens" for kind in TOKENS), *(f"{kind}_rate" for kind in ("input", "cached", "write", "output")))


def small(name: str, way: str, **values: float) -> Plan:
    """A plan in which every input is nothing but these: what is paid can be added up on paper."""
    ours = {"working_days_per_year": 220, "ml_engineer_usd_per_year": 176_000, "machines_per_platform_engineer": 200}
    ours |= {"utilisation": 1, "peak_to_mean": 1, "machines_per_replica": 1, "tokenizer_ratio": 1, "traffic_ratio": 1}
    ours |= {"model_change_days": 5, "evaluation_days": 1, "evaluation_requests": 1000, "outage_usd_per_minute": 2}
    ours |= {"life_months": 48, "horizon_months": 24, "replica_rate": 100} | values
    told = dict.fromkeys((*default_inputs().facts, *OFFER), 0.0) | ours
    blank = default_inputs().facts["replica_rate"]
    facts = [replace(blank, name=one, value=value, low=value, high=value) for one, value in told.items()]
    return Plan(name, way, default_inputs().with_facts(facts))  # type: ignore[arg-type]


# API: 1,000 requests a day x 30.44 days x 1,000 tokens x 1 USD a million = 30.44 a month; in 24 months 730.56.
# A day's work is 176,000 / 220 = 800; an evaluation 1 x 800 + 1,000 x 0.001 = 801, a change of model 5 x 800 + 801 =
# 4,801. Half a change a year is one in 24 months: 730.56 + 801 + 4,801 = 6,332.56.
# Own: 1 x 730.5 x 24 = 17,532; 2,000 once for compliance; 800 for the first evaluation; half a change of 4,800:
# 22,732.
# A price that rises by half a year: the sum of 1.5^(m/12) over m = 0 to 23 is (1.5^2 - 1) / (1.5^(1/12) - 1) =
# 1.25 / 0.034366083 = 36.37307; one that halves: 0.75 / 0.056125687 = 13.36286. Evaluations are paid at that price too.
BY_HAND = {
    "as stated": (6_332.56, 22_732.00),
    "volume x 10": (12_907.60, 22_732.00),  # 7,305.60 + 801 + 4,801; one machine is still enough
    "vendor price +50 % a year": (6_709.71, 22_732.00),  # 30.44 x 36.37307 + 801 + 4,800 + 36.37307 / 24
    "vendor price -50 % a year": (6_008.32, 22_732.00),  # 30.44 x 13.36286 + 801 + 4,800 + 13.36286 / 24
    "a day's vendor outage": (9_212.56, 22_732.00),  # 1,440 minutes x 2
    "model deprecated in month 12": (11_133.56, 22_732.00),  # 4,801 once more
    "licence change in month 12": (6_332.56, 29_532.00),  # 4,800 and the review of 2,000
    "a better model every six months": (20_735.56, 39_532.00),  # two changes a year: four of 4,801, four of 4,800
}


def test_every_scenario_of_a_small_example_is_as_worked_out_by_hand() -> None:
    api = small("api", "api", fresh_tokens=1000, input_rate=1, model_changes_per_year_api=0.5)
    own = small("own", "rented", rent_usd_per_hour=1, model_changes_per_year_own=0.25, compliance_usd_once=2000)
    for outcome in outcomes((api, own), Demand(1000, 0.0, 24), "own", worlds=2):
        by_hand = BY_HAND[outcome.name]
        assert tuple(total.usd for total in outcome.totals) == pytest.approx(by_hand, abs=0.005), outcome.name
        assert outcome.winner == "api"
        assert outcome.regret_usd == pytest.approx(by_hand[1] - by_hand[0], abs=0.01)


def test_new_terms_of_weights_touch_neither_an_api_nor_a_model_of_ones_own() -> None:
    assert extra("licence change in month 12", api_plan()) == pytest.approx(0)
    assert extra("licence change in month 12", replace(machine_plan(), licensed=False)) == pytest.approx(0)


def test_a_short_horizon_still_has_the_event() -> None:
    short = Demand(20_000, 0.0, 6)
    scenario = BY_NAME["model deprecated in month 12"]
    plan = api_plan()
    told = month_costs(plan, scenario.inputs(plan, plan.inputs, short), short) - month_costs(plan, plan.inputs, short)
    assert told[0, 5] > 0
