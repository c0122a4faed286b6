"""One input at a time: both ends, the widest first, and who wins there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.costs.test_model import api_plan, fact, machine_plan

from steelyard.costs.tornado import end_at_base, tornado
from steelyard.costs.volume import Demand, month_costs

DEMAND = Demand(20_000, 0.0, 12)


def total(plan) -> float:
    return float(month_costs(plan, plan.inputs, DEMAND).sum())


def test_an_end_is_the_cost_with_that_one_input_moved_and_all_others_at_their_value() -> None:
    plans = (api_plan(), machine_plan())
    bar = next(bar for bar in tornado(plans, DEMAND, "api") if bar.input == "ml_engineer_usd_per_year")
    wage = plans[0].inputs.facts["ml_engineer_usd_per_year"]
    for end, value in ((bar.low, wage.low), (bar.high, wage.high)):
        moved = [replace(plan, inputs=plan.inputs.using({"ml_engineer_usd_per_year": value})) for plan in plans]
        assert end.usd == pytest.approx(total(moved[0]))
        assert end.lead_usd == pytest.approx(total(moved[1]) - total(moved[0]))


def test_bars_come_widest_first_and_one_for_every_input_with_a_range() -> None:
    plans = (api_plan(), machine_plan())
    bars = tornado(plans, DEMAND, "api")
    assert [bar.swing for bar in bars] == sorted((bar.swing for bar in bars), reverse=True)
    ranged = {name for plan in plans for name, one in plan.inputs.facts.items() if one.low != one.high}
    assert {bar.input for bar in bars} == ranged


def test_an_input_of_one_candidate_moves_that_candidate_alone() -> None:
    mine = api_plan()
    mine = replace(mine, inputs=mine.inputs.with_facts([fact("output_tokens", 150, 50, 5000, own="api")]))
    other = replace(api_plan(), candidate="other")
    bar = next(bar for bar in tornado((mine, other), DEMAND, "api") if bar.input == "output_tokens")
    assert bar.own == "api"
    assert bar.low.winner == "api"
    assert bar.high.winner == "other"
    assert bar.turns("api")


def test_at_the_inputs_own_values_the_lead_is_the_plain_difference() -> None:
    plans = (api_plan(), machine_plan())
    assert end_at_base(plans, DEMAND, "api").lead_usd == pytest.approx(total(plans[1]) - total(plans[0]))
