"""Before a run a model is placed by sizing: what holds it, answers in time and costs least; said to be an estimate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.costs.test_cost import candidate

from steelyard.catalogue.load import load_catalogue
from steelyard.costs.machines import processor
from steelyard.costs.model import Plan, monthly
from steelyard.costs.placement import SAID, Asked, Placement, placements
from steelyard.costs.plans import plan_ahead
from steelyard.quantities import Money, Sourced, Unknown
from steelyard.sizing.accelerators import accelerators
from steelyard.sizing.hardware import Rent
from steelyard.sizing.objective import objective
from steelyard.usecase import Workload

WORKLOAD = Workload(20_000, peak_to_mean=4)
SLOW = (objective("latency_p95 <= 60 s"),)


def placed(model: str, limits=SLOW) -> tuple[Placement, ...]:
    which = replace(candidate("self-hosted"), model=load_catalogue().models[model], weights=None)
    found = placements(which, Asked(800, 40, 8), WORKLOAD, limits, accelerators())
    assert not isinstance(found, Unknown), found
    return found


def test_a_small_model_goes_to_the_plain_machine_and_a_large_one_to_as_many_accelerators_as_hold_it() -> None:
    assert placed("smollm2-135m-instruct")[0].machine == "cpu-2"
    large = {one.machine: one.machines for one in placed("llama-3.1-70b-instruct")}
    assert "cpu-2" not in large
    assert large["h100_sxm"] == 2  # 141 GB of weights at two bytes


def test_the_rate_has_the_interval_of_sizing_and_says_that_it_is_no_measurement() -> None:
    for one in placed("llama-3.1-8b-instruct"):
        assert one.low < one.rate < one.high
        assert one.how.startswith(SAID)


def test_what_is_too_slow_alone_is_too_slow_on_any_number_of_machines() -> None:
    quick = {one.machine for one in placed("llama-3.1-8b-instruct", limits=(objective("latency_p95 <= 500 ms"),))}
    assert quick < {one.machine for one in placed("llama-3.1-8b-instruct")}


def test_rent_is_the_median_of_what_sellers_ask_from_the_least_to_the_most() -> None:
    rents = tuple(
        Rent(Sourced(Money.of(usd), f"seller {usd}", "2026-11-01"), "specialised", "on-demand", assumed=True)
        for usd in ("1.00", "2.00", "6.00")
    )
    rent = replace(placed("llama-3.1-8b-instruct")[0], rents=rents).rent("on-demand")
    assert not isinstance(rent, Unknown)
    assert (rent.low, rent.value, rent.high) == (1, 2, 6)
    assert "seller 6.00" in rent.source


def test_bought_and_rented_differ_in_their_lines_and_not_in_their_rate() -> None:
    ways = placed("llama-3.1-8b-instruct")
    which = replace(candidate("self-hosted"), model=load_catalogue().models["llama-3.1-8b-instruct"])
    rented, owned = (plan_ahead(which, ways, WORKLOAD, term, "h100_sxm") for term in ("on-demand", "owned"))
    assert isinstance(rented, Plan) and isinstance(owned, Plan)
    assert rented.inputs["replica_rate"] == owned.inputs["replica_rate"]
    assert float(monthly(owned, owned.inputs, 20_000, 0)["hardware depreciation"]) > 0
    assert float(monthly(rented, rented.inputs, 20_000, 0)["machines for the load"]) > 0
    # 30,000 USD and 29 % for the server; two machines, 15 % left after 48 months
    by_hand = 2 * 30_000 * 1.29 * 0.85 / 48
    assert float(monthly(owned, owned.inputs, 20_000, 0)["hardware depreciation"]) == pytest.approx(by_hand)


def test_a_term_without_a_price_names_those_that_have_one() -> None:
    which = replace(candidate("self-hosted"), model=load_catalogue().models["smollm2-135m-instruct"], weights=None)
    told = plan_ahead(which, placed("smollm2-135m-instruct"), WORKLOAD, "3-year", "cpu-2")
    assert isinstance(told, Unknown)
    assert "cpu-2 on-demand" in told.reason


def test_the_plain_machine_is_as_this_one_measured_itself_where_it_has() -> None:
    here = replace(processor({}), bandwidth=Sourced(1e9, "measured", "2026-11-24"))
    assert processor({"this_machine": here}).bandwidth == here.bandwidth
