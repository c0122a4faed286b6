"""Costs worked out by hand, for both ways, and what makes them unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.catalogue import Candidate, Model, Offer, Price
from steelyard.costs import Cost, Machine, capacity_per_day, cost_of, machine, replicas_needed
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Sourced, Tokens, Unknown
from steelyard.stats import Estimate, Interval
from steelyard.usecase import Workload

AT = datetime(2026, 11, 24, tzinfo=UTC)
WORKLOAD = Workload(requests_per_day=20_000, peak_to_mean=4, growth_per_month=0.06, horizon_months=36)
DIME = Machine("dime", "a machine for ten cents", 2, 8, "", Sourced(Money.of("0.10"), "test", "2026-11-01"), False)
NOT_READ = Unknown("not read")


def model(id: str = "m") -> Model:
    return Model(
        id, id, "f", "v", "open", ("text",), NOT_READ, ("api",), True, *(NOT_READ,) * 6
    )  # fmt: skip


def offer(cached: str | None = "0.025", valid_from: str = "2026-01-01") -> Offer:
    price = Price(
        Decimal("0.25"),
        Decimal("2.00"),
        None if cached is None else Decimal(cached),
        valid_from=valid_from,
        valid_to="",
        source="list",
        as_of="2026-10-01",
    )
    return Offer("openai", "m", "v", "m", "", "KEY", (price,), NOT_READ, NOT_READ, NOT_READ)


def candidate(way: str = "api", its_offer: Offer | Unknown = NOT_READ) -> Candidate:
    return Candidate("m", "", model(), "", None, "", way, its_offer, "own")  # type: ignore[arg-type]


def cost(way: str = "api", **changes) -> Cost | Unknown:
    given_ = {
        "usages": {Usage(Tokens(800), Tokens(10), Tokens(400)): 1},
        "throughput_per_second": 5.0,
        "workload": WORKLOAD,
        "at": AT,
        "machine": DIME,
    } | changes
    its_offer = given_.pop("offer", offer())
    return cost_of(candidate(way, its_offer), **given_)


def value(estimate: object) -> float:
    assert isinstance(estimate, Estimate)
    return estimate.value


def test_an_api_request_costs_fresh_cached_and_output_tokens_at_their_rates():
    got = cost()
    assert isinstance(got, Cost)
    per_request = (400 * 0.25 + 400 * 0.025 + 10 * 2.0) / 1e6
    assert value(got.per_1000) == pytest.approx(1000 * per_request)
    assert value(got.per_month) == pytest.approx(20_000 * 30.44 * per_request)
    assert [line.name for line in got.lines] == ["input tokens", "cached input tokens", "output tokens"]
    assert sum(value(line.per_1000) for line in got.lines) == pytest.approx(value(got.per_1000))
    assert got.lines[0].formula == "400 tokens x 0.25 USD per million"
    assert got.replicas is None


def test_the_horizon_sums_growth_month_by_month():
    got = cost()
    assert isinstance(got, Cost)
    geometric = (1.06**36 - 1) / 0.06
    assert value(got.horizon_total) == pytest.approx(value(got.per_month) * geometric)


def test_a_single_mean_usage_has_no_interval_and_sampled_usages_have_one():
    got = cost()
    assert isinstance(got, Cost)
    assert isinstance(got.per_1000, Estimate)
    assert isinstance(got.per_1000.interval, Unknown)
    usages = {Usage(Tokens(tokens), Tokens(10)): 1 for tokens in (700, 800, 900)}
    sampled = cost(usages=usages)
    assert isinstance(sampled, Cost)
    assert isinstance(sampled.per_month, Estimate)
    assert isinstance(sampled.per_month.interval, Interval)
    assert value(sampled.per_1000) == pytest.approx(1000 * (800 * 0.25 + 10 * 2) / 1e6)
    assert sampled.per_month.interval.low < sampled.per_month.value < sampled.per_month.interval.high
    assert sampled.per_1000.n == 3


def test_a_rented_machine_costs_whole_replicas_around_the_clock():
    """20,000 a day at four times the mean is 0.926 requests/s; one replica planned at 70 % of 1/s is too few."""
    got = cost("self-hosted", throughput_per_second=1.0)
    assert isinstance(got, Cost)
    assert got.replicas == 2
    assert value(got.per_month) == pytest.approx(2 * 0.10 * 730.5)
    assert value(got.per_1000) == pytest.approx(2 * 0.10 * 730.5 / (20_000 * 30.44) * 1000)
    assert got.lines[0].formula == "2 x 0.10 USD/h x 730.5 h"


def test_self_hosted_cost_over_the_horizon_is_a_staircase():
    """Doubling every month from just below one replica: 1 + 2 + 4 machine-months."""
    workload = Workload(0.69 * 86_400, peak_to_mean=1, growth_per_month=1.0, horizon_months=3)
    got = cost("self-hosted", throughput_per_second=1.0, workload=workload)
    assert isinstance(got, Cost)
    assert value(got.horizon_total) == pytest.approx((1 + 2 + 4) * 0.10 * 730.5)


@given(st.floats(0.01, 500), st.floats(1, 20), st.integers(1, 40))
def test_the_capacity_of_some_replicas_is_where_one_more_is_needed(rate, peak_to_mean, replicas):
    workload = Workload(1, peak_to_mean)
    limit = capacity_per_day(replicas, rate, workload)
    assert replicas_needed(limit * 0.999, rate, workload) == replicas
    assert replicas_needed(limit * 1.001, rate, workload) == replicas + 1


@pytest.mark.parametrize("way", ["api", "self-hosted"])
def test_every_cost_states_its_price_with_source_and_date_and_what_it_leaves_out(way):
    got = cost(way)
    assert isinstance(got, Cost)
    prices = [assumption for assumption in got.assumptions if assumption.name.endswith("price")]
    assert prices
    assert all(assumption.source and assumption.as_of for assumption in prices)
    left_out = next(assumption for assumption in got.assumptions if assumption.name == "not included")
    assert "staff" in left_out.value


@pytest.mark.parametrize("assumed", [True, False])
def test_a_machine_price_that_is_assumed_says_so(assumed):
    got = cost("self-hosted", machine=replace(DIME, assumed=assumed))
    assert isinstance(got, Cost)
    assert ("put your own price" in got.assumptions[0].source) == assumed


def test_estimated_tokens_are_called_estimated():
    got = cost(usages={Usage(Tokens(800), Tokens(10), estimated=True): 1})
    assert isinstance(got, Cost)
    assert "estimated" in got.assumptions[0].source


@pytest.mark.parametrize(
    ("way", "changes", "reason"),
    [
        ("api", {"offer": Unknown("no offer is known")}, "no offer"),
        ("api", {"offer": offer(valid_from="2027-01-01")}, "no price"),
        ("api", {"usages": {}}, "none was answered"),
        ("self-hosted", {"throughput_per_second": Unknown("never run")}, "never run"),
        ("self-hosted", {"throughput_per_second": 0.0}, "no cost a request"),
        ("self-hosted", {"workload": Unknown("")}, "busy or idle"),
        ("on-device", {}, "own devices"),
    ],
)
def test_a_cost_that_nobody_can_know_is_unknown_with_its_reason(way, changes, reason):
    got = cost(way, **changes)
    assert isinstance(got, Unknown)
    assert reason in got.reason


def test_without_a_workload_an_api_has_a_price_per_1000_and_no_month():
    got = cost(workload=Unknown("not stated"))
    assert isinstance(got, Cost)
    assert isinstance(got.per_1000, Estimate)
    assert isinstance(got.per_month, Unknown)
    assert isinstance(got.horizon_total, Unknown)


def test_the_default_machine_costs_what_its_fact_file_says():
    got = cost("self-hosted", machine=machine())
    assert isinstance(got, Cost)
    assert value(got.per_month) == pytest.approx(float(machine().usd_per_hour.value) * 730.5)
