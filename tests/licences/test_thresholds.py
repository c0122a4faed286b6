"""A limit is shown with what is left of it, and with the month in which the stated growth uses it up."""

from __future__ import annotations

from datetime import date

import pytest

from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge_facts
from steelyard.licences.load import load_licences
from steelyard.licences.verdict import Threshold, Verdict
from steelyard.quantities import Unknown

AT = date(2026, 11, 24)


def verdict(licence: str, **said: object) -> Verdict:
    terms = load_licences().get(licence)
    assert not isinstance(terms, Unknown)
    base: dict[str, object] = {
        "purpose": "product",
        "commercial": True,
        "distribute": "none",
        "outputs_train": "none",
        "role": "deployer",
        "kind": "company",
        "affiliates_included": True,
        "domicile": ("US",),
        "field": "customer-support",
        "modality": frozenset({"text"}),
    }
    return judge_facts(terms, Facts(**(base | said)), AT)  # type: ignore[arg-type]


def limit(licence: str, **said: object) -> Threshold:
    (found,) = {limit for limit in verdict(licence, **said).thresholds if limit.effect == "forbidden"}
    return found


def test_a_limit_tells_what_is_left_and_when_growth_passes_it() -> None:
    found = limit("mistral-modified-mit-20m", monthly_revenue=10_000_000, growth_per_month=0.06)
    assert (found.limit, found.value, found.headroom) == (20_000_000, 10_000_000, 10_000_000)
    assert (found.crossed_in_months, found.crossed_in) == (12, "2027-11")
    assert "10,000,000 leaves 10,000,000 (50%); at 6 % a month you pass it in month 12 (2027-11)" in found.text


def test_a_limit_that_growth_will_pass_does_not_change_the_verdict_of_today() -> None:
    near = verdict("mistral-modified-mit-20m", monthly_revenue=19_999_999, growth_per_month=1.0)
    assert (near.status, near.thresholds[0].crossed_in_months) == ("allowed", 1)


@pytest.mark.parametrize(("value", "growth"), [(10_000_000, 0.0), (10_000_000, -0.1), (21_000_000, 0.06), (0, 0.06)])
def test_a_limit_is_not_crossed_without_growth_or_once_it_is_passed(value: int, growth: float) -> None:
    found = limit("mistral-modified-mit-20m", monthly_revenue=value, growth_per_month=growth)
    assert found.crossed_in_months is None


def test_a_limit_is_passed_only_above_it() -> None:
    assert verdict("mistral-modified-mit-20m", monthly_revenue=20_000_000).status == "allowed"
    above = limit("mistral-modified-mit-20m", monthly_revenue=20_000_001)
    assert above.headroom == -1
    assert "is above it" in above.text


def test_a_number_that_was_not_said_is_no_headroom() -> None:
    found = limit("mistral-modified-mit-20m")
    assert (found.value, found.headroom) == (None, None)
    assert "not said" in found.text


def test_growth_does_not_move_a_count_at_a_release_date_but_a_later_version_would_count_again() -> None:
    found = limit("llama-3.2", users_at_release=100, users_product=120_000_000, growth_per_month=0.06)
    assert (found.value, found.headroom, found.crossed_in_months) == (100, 699_999_900, 31)
    assert "counted once, growth does not change it" in found.text
    assert "pass it in month 31 (2029-06), which a version released after that would count" in found.text


def test_a_limit_that_cannot_bite_this_use_is_not_shown() -> None:
    assert verdict("llama-3.2", users_at_release=100, role="end-user").thresholds == ()
    assert verdict("apache-2.0").thresholds == ()
