"""Every tier of a price list against calculations by hand (prices.toml), to the cent."""

from __future__ import annotations

import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.catalogue import Offer, Price
from steelyard.catalogue.price import Rate, Rates
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Unknown

FIXTURES = tomllib.loads(Path(__file__).with_name("prices.toml").read_text("utf-8"))
SUFFIXES = {"cached": "cached_input", "write": "cache_write", "write_long": "cache_write_long"}


def rates(row: dict) -> dict:
    named = {SUFFIXES.get(name, name): value for name, value in row.items() if isinstance(value, str)}
    return {
        f"{name}_usd_per_million": Decimal(value)
        for name, value in named.items()
        if name not in ("from", "to", "service")
    }


def tier(row: dict) -> Rates:
    place = {"above_input_tokens": row.get("above", 0), "service": row.get("service", "standard")}
    return Rates(**rates(row), **place, hours=tuple(row.get("hours", ())))


def price(row: dict) -> Price:
    given = {"cached_input_usd_per_million": None} | rates(row)
    tiers = tuple(map(tier, row.get("tiers", ())))
    return Price(**given, valid_from=row["from"], valid_to=row.get("to", ""), source="list", as_of="", tiers=tiers)


def offer(name: str) -> Offer:
    row, unread = FIXTURES["lists"][name], Unknown("not read")
    fees = tuple(
        Rate(fee["unit"], Decimal(fee["usd"]), "2026-01-01", "list", "", Decimal(fee.get("minimum", 0)))
        for fee in row.get("rates", ())
    )
    prices = tuple(map(price, row.get("prices", ())))
    return Offer("openai", name, "v", name, "", "", prices, unread, unread, unread, rates=fees)


def usage(row: dict) -> Usage:
    names = {"write": "cache_write", "write_long": "cache_write_long"}
    counts = {f"{names.get(name, name)}_tokens": count for name, count in row.items() if type(count) is int}
    units = tuple((unit, Decimal(count)) for unit, count in row.get("units", {}).items())
    return Usage(**counts, units=units, estimated="estimated" in row, service=row.get("service", "standard"))


@pytest.mark.parametrize("call", FIXTURES["call"], ids=lambda call: call["about"])
def test_a_call_costs_what_the_calculation_by_hand_says(call):
    got = offer(call["list"]).price(usage(call["usage"]), datetime.fromisoformat(call["at"]))
    if call["usd"] == "unknown":
        assert isinstance(got, Unknown)
        assert "no price" in got.reason
    else:
        assert isinstance(got, Money)
        assert (got * call["times"]).usd.quantize(Decimal("0.01")) == Decimal(call["usd"])


def test_there_are_at_least_forty_calculations_and_they_cover_every_rate():
    priced = [call for call in FIXTURES["call"] if call["usd"] != "unknown"]
    assert len(priced) >= 40
    used = {name for call in priced for name, count in call["usage"].items() if count}
    special = {
        "cached",
        "write",
        "write_long",
        "reasoning",
        "audio_input",
        "audio_output",
        "image_input",
        "image_output",
    }
    assert special | {"input", "output", "service", "units"} <= used
    assert {call["usage"].get("service", "standard") for call in priced} == {"standard", "batch", "flex", "priority"}


@pytest.mark.parametrize("call", FIXTURES["call"], ids=lambda call: call["about"])
def test_the_parts_of_a_call_are_all_of_its_tokens(call):
    row, counted = FIXTURES["lists"][call["list"]], usage(call["usage"])
    if row.get("prices"):
        parts = price(row["prices"][0]).parts(counted)
        assert sum(count for _, count, _ in parts) == counted.input_tokens + counted.output_tokens
