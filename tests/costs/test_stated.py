"""What a study states of its costs stands in the place of the inputs that ship; other currencies need a dated rate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steelyard.costs.inputs import default_inputs
from steelyard.costs.model import Plan
from steelyard.costs.stated import as_stated, inputs_of
from steelyard.errors import InputError
from steelyard.study import prepare
from steelyard.usecase.load import load_study

STUDY = """
name: s
data: {file: d.jsonl, input: text, target: label, test: 40%}
task: {kind: classification, prompt: "{text}"}
use: {purpose: internal, commercial: true}
workload: {requests_per_day: 1000, peak_to_mean: 3, horizon_months: 24}
candidates: [linear]
"""


def study(folder: Path, more: str):
    (folder / "d.jsonl").write_text('{"text": "a", "label": "b"}\n')
    (folder / "study.yaml").write_text(STUDY + more)
    return load_study(folder)


def test_the_study_states_inputs_as_a_number_a_range_or_with_a_source(tmp_path: Path):
    costs = """
costs:
  pue: 1.3
  outage_usd_per_minute: [0, 10]
  model_licence_usd_per_year: {value: 50_000, low: 40_000, high: 60_000, source: a quote, as_of: 2026-11-01}
"""
    inputs = inputs_of(study(tmp_path, costs))
    assert (inputs["pue"], inputs.facts["pue"].high) == (1.3, 1.3)
    assert (inputs["outage_usd_per_minute"], inputs.facts["outage_usd_per_minute"].high) == (5, 10)
    licence = inputs.facts["model_licence_usd_per_year"]
    assert (licence.value, licence.low, licence.source, licence.as_of) == (50_000, 40_000, "a quote", "2026-11-01")
    assert inputs.facts["colocation_usd_per_kw_month"].source.startswith("CBRE")


def test_another_currency_needs_a_dated_rate(tmp_path: Path):
    costs = "costs: {usd_per_kwh: {value: 0.20, currency: EUR}}\n"
    with pytest.raises(InputError, match="no rate says what that is in USD"):
        study(tmp_path, costs)
    rate = "currency: {EUR: {usd: 1.08, as_of: 2026-11-20, source: a bank}}\n"
    fact = inputs_of(study(tmp_path, costs + rate)).facts["usd_per_kwh"]
    assert fact.value == pytest.approx(0.216)
    assert "1 EUR = 1.08 USD on 2026-11-20 (a bank)" in fact.source


@pytest.mark.parametrize("written", ["many", "[2, 1]", "{value: 5, low: 6}", "true", "[1]"])
def test_what_is_no_number_and_no_range_is_a_mistake(tmp_path: Path, written: str):
    with pytest.raises(InputError):
        study(tmp_path, f"costs: {{pue: {written}}}\n")


def test_a_name_that_no_input_has_is_a_mistake(tmp_path: Path):
    with pytest.raises(InputError, match="no input of costs is called 'pu'"):
        inputs_of(study(tmp_path, "costs: {pu: 1.3}\n"))


def test_what_the_study_states_wins_over_what_was_listed(tmp_path: Path):
    listed = replace(default_inputs().facts["rent_usd_per_hour"], value=2.0, low=2.0, high=2.0, own="m")
    plan = Plan("m", "rented", default_inputs().with_facts([listed]))
    got = as_stated(plan, study(tmp_path, "costs: {rent_usd_per_hour: 1.2}\n"))
    assert isinstance(got, Plan)
    assert got.inputs["rent_usd_per_hour"] == 1.2
    assert got.inputs.facts["rent_usd_per_hour"].own == "m"


def test_an_unknown_name_is_told_before_anything_is_spent(tmp_path: Path):
    study(tmp_path, "costs: {rent: 1.2}\n")
    with pytest.raises(InputError, match="no input of costs is called 'rent'"):
        prepare(tmp_path, datetime(2026, 11, 24, tzinfo=UTC))
