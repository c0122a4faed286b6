"""What a run has shown takes the place of assumptions, and what nobody knows stays unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.costs.test_cost import AT, candidate, offer
from tests.costs.test_model import api_plan, machine_plan

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import LicenceRef
from steelyard.costs.estimate import Cost
from steelyard.costs.known import FEE, Known, analysis, bill_of, served_on
from steelyard.costs.outlook import CostOutlook, outlook
from steelyard.costs.volume import Demand
from steelyard.providers.protocol import Usage
from steelyard.quantities import Sourced, Tokens, Unknown
from steelyard.stats import Estimate
from steelyard.usecase import UseCase
from steelyard.usecase.case import Hosting
from steelyard.usecase.load import load_study

STUDY = """name: s
data: {file: d.jsonl, input: message, target: intent, test: 50%}
task: {kind: classification, prompt: "{message}"}
use: {purpose: internal, commercial: true}
privacy: {class: public, may_send_to: any}
allow_ways: [self-hosted, api]
workload: {requests_per_day: 20_000, horizon_months: 12}
candidates: [linear]
"""
USAGES = {Usage(Tokens(800), Tokens(10)): 10}


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    (tmp_path / "d.jsonl").touch()
    (tmp_path / "study.yaml").write_text(STUDY)
    return load_study(tmp_path)


def told(case: UseCase, way: str, known: Known, **changes) -> CostOutlook:
    one = replace(candidate(way, offer() if way == "api" else Unknown("own")), **changes)
    found = analysis(case, [one], {one.id: known}, AT)
    assert isinstance(found, CostOutlook), found
    return found


def test_the_share_of_failed_calls_is_that_of_the_run_with_its_interval(case: UseCase) -> None:
    """3 of 100: Wilson's interval from 1.03 to 8.45 %."""
    known = Known(USAGES, Unknown("an API"), failed=(3, 100))
    share = next(one for one in told(case, "api", known).inputs.values() if one.name == "failed_share")
    assert (share.value, share.low, share.high) == pytest.approx((0.03, 0.0103, 0.0845), abs=1e-4)
    assert share.source == "3 of 100 calls of the run; range: 95 %"


def test_a_run_in_which_nothing_failed_says_how_much_may_still_fail(case: UseCase) -> None:
    known = Known(USAGES, Unknown("an API"), failed=(0, 100))
    bar = next(bar for bar in told(case, "api", known).tornado if bar.input == "failed_share")
    assert bar.low.value == 0
    assert bar.high.value == pytest.approx(0.037, abs=1e-3)


def test_tokens_that_nobody_billed_are_counted_by_the_vocabularies_at_hand(case: UseCase) -> None:
    """0.9 and 1.1 of the estimate: 1.0, from 0.9 / 1.15 to 1.1 x 1.15."""
    guessed = {replace(usage, estimated=True): times for usage, times in USAGES.items()}
    known = Known(guessed, Unknown("an API"), token_ratios={"a": 0.9, "b": 1.1})
    ratio = next(one for one in told(case, "api", known).inputs.values() if one.name == "tokenizer_ratio")
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.0, 0.9 / 1.15, 1.1 * 1.15))
    assert "0.90 (a), 1.10 (b)" in ratio.source
    billed = told(case, "api", replace(known, usages=USAGES)).inputs
    assert not any("vocabularies" in one.source for one in billed.values())


def test_fine_tuning_costs_its_own_seconds_on_the_machine(case: UseCase) -> None:
    """1,800 s are half an hour at 0.1008 USD."""
    found = told(case, "self-hosted", Known(USAGES, 4.0, fit_seconds=1800.0), recipe="head")
    tuning = next(line for line in found.plans[0].lines if line.name == "first fine-tuning")
    assert tuning.horizon_usd == pytest.approx(0.0504)


def test_a_licence_that_must_be_bought_is_unknown_until_somebody_says_its_price(case: UseCase) -> None:
    known = Known(USAGES, 4.0, fee=True)
    plan = told(case, "self-hosted", known).plans[0]
    assert plan.unknown == {"model licence": FEE}
    assert "model licence" not in {line.name for line in plan.lines}
    signed = LicenceRef("mistral-commercial", "", signed=True, usd_per_year=Decimal("12000"))
    model = replace(candidate("self-hosted").model, licence=Sourced(signed, "contract 17", "2026-10-01"))
    priced = told(case, "self-hosted", known, model=model).plans[0]
    assert not priced.unknown
    assert {line.name: line.month_usd for line in priced.lines}["model licence"] == pytest.approx(1000)


def test_a_plan_with_an_unknown_line_is_compared_with_nobody() -> None:
    cheap = replace(machine_plan(), candidate="cheap", unknown={"model licence": FEE})
    found = outlook((api_plan(), machine_plan(), cheap), Demand(20_000, 0.0, 12))
    assert "cheap" in {plan.candidate for plan in found.plans}
    assert "cheap" not in {plan.candidate for plan in found.compared}
    assert "cheap" not in {span.cheapest for span in found.over_volume}
    assert found.choice != "cheap"
    assert all("cheap" not in {total.candidate for total in one.totals} for one in found.scenarios)


def test_who_is_barred_is_named_with_the_gate_and_not_priced(case: UseCase) -> None:
    one, other = candidate("api", offer()), replace(candidate("self-hosted"), id="own")
    known = {one.id: Known(USAGES, Unknown("-"), barred="ruled out (privacy): no"), "own": Known(USAGES, 4.0)}
    found = analysis(case, [one, other], known, AT)
    assert isinstance(found, CostOutlook)
    assert found.without == {one.id: "ruled out (privacy): no"}
    assert not found.splits


def test_each_input_is_kept_once() -> None:
    found = outlook((api_plan(), machine_plan()), Demand(20_000, 0.0, 12))
    assert {key for plan in found.plans for line in plan.lines for key in line.inputs} == set(found.inputs)


def test_the_hours_of_a_day_and_what_must_stay_come_from_the_study(tmp_path: Path) -> None:
    """Twelve hours at 3, twelve at 1: the mean is 2, so the peak is 1.5 times it."""
    (tmp_path / "d.jsonl").touch()
    hours = f"hours: {[3] * 12 + [1] * 12}"
    text = (
        STUDY.replace("horizon_months: 12", f"peak_to_mean: 9, {hours}") + "hosting: {must_stay: 30%, term: 1-year}\n"
    )
    (tmp_path / "study.yaml").write_text(text)
    case = load_study(tmp_path)
    assert not isinstance(case.workload, Unknown)
    assert case.workload.peak_to_mean == 1.5
    assert (case.hosting.must_stay, case.hosting.term) == (0.3, "1-year")
    one, other = candidate("api", offer()), replace(candidate("self-hosted"), id="own")
    known = {one.id: Known(USAGES, Unknown("-")), "own": Known(USAGES, 0.1)}
    found = analysis(case, [one, other], known, AT)
    assert isinstance(found, CostOutlook)
    assert found.splits[0].best.own_share >= 0.3


def test_a_large_model_behind_an_address_is_not_priced_as_a_plain_machine(case: UseCase) -> None:
    slow = replace(case, require=())
    large = replace(candidate("self-hosted"), model=load_catalogue().models["llama-3.1-70b-instruct"])
    known = Known(USAGES, 4.0)
    assert served_on(large, known, slow).id == "cpu-2"  # it was measured here
    there = replace(large, base_url="http://gpu-box:8000/v1")
    on = served_on(there, known, slow)
    assert on.accelerator
    assert "taken by sizing for the server behind http://gpu-box:8000/v1" in on.usd_per_hour.source
    assert served_on(there, known, replace(slow, hosting=Hosting(on="h100"))).id == "h100_sxm"
    bill = bill_of(there, known, slow, AT)
    assert isinstance(bill, Cost)
    assert isinstance(bill.per_month, Estimate)
    assert bill.per_month.value == pytest.approx(float(on.usd_per_hour.value) * 730.5, rel=0.01)
