"""A plan's month, worked out by hand; worlds, months and events as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steelyard.costs.inputs import Input, Inputs, default_inputs
from steelyard.costs.lines import LINES
from steelyard.costs.model import Plan, monthly, replicas_at

DAYS, HOURS = 30.44, 730.5


def fact(name: str, value: float, low: float | None = None, high: float | None = None, own: str = "") -> Input:
    return Input(name, value, value if low is None else low, value if high is None else high, "", "test", "", own=own)


def api_plan(**values: float) -> Plan:
    tokens = {"fresh_tokens": 700, "cached_tokens": 100, "written_tokens": 50, "output_tokens": 150}
    rates = {"reasoning_tokens": 50, "input_rate": 1, "cached_rate": 0.1, "write_rate": 1.25, "output_rate": 4}
    given = tokens | rates | {"api_price_change_per_year": 0} | values
    return Plan("api", "api", default_inputs().with_facts(fact(*pair) for pair in given.items()))


def machine_plan(**values: float) -> Plan:
    given = {"replica_rate": 3.0, "rent_usd_per_hour": 2.0, "rent_change_per_year": 0.0, "utilisation": 0.7} | values
    return Plan("own", "rented", default_inputs().with_facts(fact(*pair) for pair in given.items()))


def usd(plan: Plan, name: str, requests_per_day: float = 10_000, month: float = 0) -> float:
    return float(monthly(plan, plan.inputs, requests_per_day, month)[name])


def test_tokens_cost_their_rates():
    requests = 10_000 * DAYS
    plan = api_plan()
    assert usd(plan, "input tokens") == pytest.approx(requests * 700 * 1 / 1e6)
    assert usd(plan, "cached input tokens") == pytest.approx(requests * 100 * 0.1 / 1e6)
    assert usd(plan, "cache writes") == pytest.approx(requests * 50 * 1.25 / 1e6)
    assert usd(plan, "output tokens") == pytest.approx(requests * 150 * 4 / 1e6)
    assert usd(plan, "reasoning tokens") == pytest.approx(requests * 50 * 4 / 1e6)


def test_another_vendors_tokenizer_makes_other_counts_and_a_price_change_compounds():
    assert usd(api_plan(tokenizer_ratio=1.2), "input tokens") == pytest.approx(1.2 * usd(api_plan(), "input tokens"))
    falling = api_plan(api_price_change_per_year=-0.5)
    assert usd(falling, "output tokens", month=24) == pytest.approx(0.25 * usd(falling, "output tokens"))


def test_below_a_commitment_its_amount_is_paid_and_above_it_the_discount_is_taken():
    bill = 10_000 * DAYS * (700 + 100 * 0.1 + 50 * 1.25 + 200 * 4) / 1e6
    above = api_plan(committed_usd_per_month=400, committed_discount=0.1)
    assert usd(above, "committed-use discount") == pytest.approx(-0.1 * bill)
    assert usd(above, "minimum spend") == 0
    below = api_plan(committed_usd_per_month=1000, committed_discount=0.1)
    assert usd(below, "committed-use discount") == 0
    assert usd(below, "minimum spend") == pytest.approx(1000 - bill)


def test_failed_calls_cost_as_much_as_is_billed_of_them():
    plan = api_plan(failed_share=0.02, retries_billed=0.5)
    assert usd(plan, "failed and retried calls") == pytest.approx(0.01 * monthly(plan, plan.inputs, 10_000, 0).sticker)


def test_machines_are_whole_and_a_spare_one_stands_by():
    """100,000 a day at four times the mean is 4.63/s; one replica carries 3 x 70 % = 2.1/s: three, and a spare."""
    plan = machine_plan()
    assert replicas_at(plan, plan.inputs, 100_000) == 3
    assert usd(plan, "machines for the load", 100_000) == pytest.approx(3 * 2 * HOURS)
    assert usd(plan, "spare machines", 100_000) == pytest.approx(2 * HOURS)


def test_scaling_with_the_load_pays_for_busy_hours_starts_and_the_floor():
    given = {
        "autoscaling_waste": 0.2,
        "cold_starts_per_day": 6,
        "cold_start_minutes": 5,
        "idle_minutes_before_stop": 15,
    }
    to_zero = replace(machine_plan(**given, minimum_replicas=0), scaling="with the load")
    busy = 10_000 / 86_400 / 2.1
    assert usd(to_zero, "machines for the load") == pytest.approx((busy * 1.2 + 6 * 20 / 1440) * 2 * HOURS)
    floor = replace(machine_plan(**given, minimum_replicas=1), scaling="with the load")
    assert usd(floor, "machines for the load") == pytest.approx(2 * HOURS)


def test_bought_machines_are_written_off_and_take_capital_energy_and_place():
    """One replica and a spare at 30,000 each: 60,000 plus 15 % for network and parts, 10 % residual, 48 months."""
    given = {"purchase_usd": 30_000, "network_share": 0.1, "spare_parts_share": 0.05, "residual_share": 0.1}
    more = {"life_months": 48, "cost_of_capital": 0.08, "machine_watts": 1_700, "load_power_share": 0.6, "pue": 1.5}
    place = {"usd_per_kwh": 0.10, "colocation_usd_per_kw_month": 150}
    plan = replace(machine_plan(**given, **more, **place), way="owned", owned=True)
    assert usd(plan, "hardware depreciation") == pytest.approx(60_000 * 0.9 / 48)
    assert usd(plan, "network and spare parts") == pytest.approx(60_000 * 0.9 / 48 * 0.15)
    assert usd(plan, "cost of capital") == pytest.approx(60_000 * 1.15 * 1.1 / 2 * 0.08 / 12)
    assert usd(plan, "energy") == pytest.approx(3.4 * HOURS * 0.6 * 1.5 * 0.10)
    assert usd(plan, "colocation") == pytest.approx(3.4 * 150)
    assert usd(plan, "machines for the load") == 0


def test_one_offs_fall_into_the_first_month_only():
    plan = api_plan()
    first, second = (monthly(plan, plan.inputs, 10_000, month) for month in (0, 1))
    assert first.group("one-off") > 0
    assert second.group("one-off") == 0


def test_a_hybrid_splits_the_requests_and_carries_both_staffs():
    own, api = machine_plan(), api_plan()
    hybrid = own.beside(api, 0.6)
    got = monthly(hybrid, hybrid.inputs, 10_000, 0)
    assert got["input tokens"] == pytest.approx(0.4 * usd(api, "input tokens"))
    assert got["machines for the load"] == usd(own, "machines for the load", 6_000)
    assert got["integration"] == pytest.approx(usd(own, "integration") + usd(api, "integration"))


def test_the_parts_add_up_to_the_total_and_what_the_sticker_leaves_out_is_the_rest():
    for plan in (api_plan(), machine_plan(), replace(machine_plan(purchase_usd=9_000), way="owned", owned=True)):
        lines = monthly(plan, plan.inputs, 10_000, 0)
        assert lines.total == pytest.approx(sum(float(usd) for _, usd in lines))
        assert lines.sticker + lines.left_out == pytest.approx(lines.total)
        assert lines.sticker > 0
        assert lines.left_out > 0


def test_worlds_and_months_give_what_each_alone_gives():
    plan = api_plan()
    plan = replace(plan, inputs=plan.inputs.with_facts([fact("output_tokens", 150, 100, 300, own="api")]))
    drawn = plan.inputs.drawn(seed=7, worlds=50)
    months = np.arange(12.0)[None, :]
    volume = 10_000 * 1.06**months
    whole = monthly(plan, drawn, volume, months).total
    assert whole.shape == (50, 12)
    one = Inputs(plan.inputs.facts, {name: float(np.ravel(value)[31]) for name, value in drawn.used.items()})
    assert whole[31, 5] == pytest.approx(float(monthly(plan, one, 10_000 * 1.06**5, 5).total))


def test_an_event_is_an_input_with_months():
    """The vendor is away for a day in the third month."""
    plan = api_plan(outage_minutes_api=10, outage_usd_per_minute=2)
    minutes = np.array([[10, 10, 10 + 24 * 60, 10]])
    lines = monthly(plan, plan.inputs.using({"outage_minutes_api": minutes}), 10_000, np.arange(4.0)[None, :])
    assert lines["outages"].tolist() == [[20, 20, 2900, 20]]
    with pytest.raises(KeyError, match="outage_minutes"):
        plan.inputs.using({"outage_minutes": 1.0})


def test_plans_share_their_worlds_except_for_what_is_their_own():
    one, two = (default_inputs().with_facts([fact("replica_rate", 3, 2, 4, own=name)]) for name in ("a", "b"))
    first, second = one.drawn(1, 100), two.drawn(1, 100)
    assert np.array_equal(first["pue"], second["pue"])
    assert not np.array_equal(first["replica_rate"], second["replica_rate"])


@pytest.mark.parametrize("shape", ["triangular", "log-normal"])
def test_draws_keep_to_their_range(shape):
    given = replace(fact("x", 2, 1, 5), shape=shape)
    drawn = np.ravel(Inputs({"x": given}).drawn(3, 20_000)["x"])
    if shape == "triangular":
        assert drawn.min() >= 1
        assert drawn.max() <= 5
        assert drawn.mean() == pytest.approx((1 + 2 + 5) / 3, rel=0.01)
    else:
        assert np.median(drawn) == pytest.approx(2, rel=0.01)
        assert np.quantile(drawn, 0.95) / np.quantile(drawn, 0.05) == pytest.approx(5, rel=0.03)


def test_every_default_lies_in_its_range_with_unit_source_and_date():
    for fact_ in default_inputs().facts.values():
        assert fact_.low <= fact_.value <= fact_.high, fact_.name
        assert fact_.unit
        assert fact_.source
        assert fact_.as_of
        assert fact_.shape == "triangular" or fact_.low > 0


def test_line_names_are_unique():
    assert len({line.name for line in LINES}) == len(LINES)
