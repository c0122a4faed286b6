"""The whole analysis of a study, and candidates as plans."""

from __future__ import annotations

import pytest
from tests.costs.test_cost import AT, DIME, WORKLOAD, candidate, offer
from tests.costs.test_model import api_plan, machine_plan

from steelyard.costs.model import Plan, monthly
from steelyard.costs.outlook import CostOutlook, inputs_behind, outlook
from steelyard.costs.plans import plan_of
from steelyard.costs.volume import Demand
from steelyard.providers.protocol import Usage
from steelyard.quantities import Tokens, Unknown

USAGES = {Usage(Tokens(800), Tokens(10), Tokens(400)): 3, Usage(Tokens(200), Tokens(30)): 1}


@pytest.fixture(scope="module")
def found() -> CostOutlook:
    return outlook((api_plan(), machine_plan()), Demand(20_000, 0.06, 36), without={"x": "no price is known"})


def test_lines_add_up_to_every_total(found: CostOutlook) -> None:
    for plan in found.plans:
        assert sum(line.month_usd for line in plan.lines) == pytest.approx(plan.month_usd)
        assert sum(line.horizon_usd for line in plan.lines) == pytest.approx(plan.horizon_usd)
        assert plan.sticker_usd < plan.horizon_usd


def test_the_choice_is_the_cheapest_unless_one_is_named(found: CostOutlook) -> None:
    assert found.choice == min(found.plans, key=lambda plan: plan.horizon_usd).candidate
    assert outlook((api_plan(), machine_plan()), Demand(20_000, 0.06, 3), choice="own").choice == "own"


def test_the_inputs_behind_a_line_are_those_that_its_formula_names() -> None:
    names = {one.name for one in inputs_behind(api_plan(), 1000)["output tokens"]}
    assert names == {"output_tokens", "output_rate", "tokenizer_ratio", "api_price_change_per_year"}
    assert {one.name for one in inputs_behind(machine_plan(), 1000)["storage"]} == {
        "storage_gb",
        "storage_usd_per_gb_month",
    }


def test_what_makes_the_number_of_machines_is_behind_their_rent_even_where_one_is_plenty() -> None:
    names = {one.name for one in inputs_behind(machine_plan(replica_rate=7000.0), 10)["machines for the load"]}
    assert {"replica_rate", "utilisation", "peak_to_mean", "rent_usd_per_hour"} <= names


def plan(way: str, **changes) -> Plan | Unknown:
    given = {"usages": USAGES, "throughput_per_second": 4.0, "workload": WORKLOAD, "at": AT, "machine": DIME} | changes
    return plan_of(candidate(way, given.pop("offer", offer())), **given)


def test_an_api_plans_tokens_cost_what_the_price_list_says_of_the_sampled_requests() -> None:
    made = plan("api")
    assert isinstance(made, Plan)
    usd = sum(float(offer().price(usage, AT)) * times for usage, times in USAGES.items()) / 4  # type: ignore[arg-type]
    bill = float(monthly(made, made.inputs, 1000, 0).group("usage"))
    assert bill == pytest.approx(usd * 1000 * 30.44)


def test_what_is_unknown_gives_no_plan_but_its_reason() -> None:
    assert plan("self-hosted", throughput_per_second=Unknown("it was not measured")) == Unknown(
        "the machines needed are unknown: it was not measured"
    )
    assert plan("api", workload=Unknown("-")) == Unknown("the study states no workload")
    assert isinstance(plan("on-device"), Unknown)
