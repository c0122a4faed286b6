"""Facts come with source and date, or not at all; what is not known says why."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.catalogue.load import load_catalogue, read_catalogue
from steelyard.errors import InputError
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Sourced, Tokens, Unknown

HEAD = '[sources.a]\nsource = "a test"\nas_of = "2026-11-24"\n'
MODEL = """
[[models]]
id = "{id}"
name = "M"
family = "F"
vendor = "V"
openness = "open"
kinds = ["text"]
ways = ["self-hosted"]
chat = true
licence = {{ id = "mit", revision = "", from = "a" }}
"""
OFFER = """
[[offers]]
route = "openai"
model = "m"
vendor = "V"
served_as = "m"
base_url = "http://127.0.0.1:1"
key_env = "K"

[[offers.prices]]
input_usd_per_million = "2"
output_usd_per_million = "8"
cached_input_usd_per_million = "0.5"
valid_from = "2026-01-01"
valid_to = "2026-06-01"
from = "a"

[[offers.prices]]
input_usd_per_million = "1"
output_usd_per_million = "4"
valid_from = "2026-06-01"
from = "a"
"""


def write(folder: Path, text: str, name: str = "facts.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_facts_load_and_every_fact_has_a_source_and_a_date() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.models) >= 18
    for model in catalogue.models.values():
        for fact in (model.licence, model.parameters, model.context_tokens, model.released, model.languages):
            assert isinstance(fact, Unknown | Sourced)
            assert fact.reason if isinstance(fact, Unknown) else fact.source and fact.as_of
        for weights in model.weights:
            assert weights.source
            assert all("==" in package for package in weights.packages)
    assert all(price.source and price.as_of for offer in catalogue.offers for price in offer.prices)


def test_every_proprietary_model_of_the_catalogue_has_a_price() -> None:
    catalogue = load_catalogue()
    for model in catalogue.models.values():
        if model.openness == "proprietary":
            row = catalogue.offers_of(model.id)[0].price_at(datetime(2026, 11, 24, tzinfo=UTC))
            assert not isinstance(row, Unknown)


def test_a_model_is_found_by_id_and_by_repository() -> None:
    catalogue = load_catalogue()
    assert catalogue.model("openai/gpt-oss-20b") is catalogue.model("gpt-oss-20b")
    assert catalogue.model("no-such-model") is None


def test_the_price_is_the_one_in_force_on_the_day(tmp_path: Path) -> None:
    offer = read_catalogue([write(tmp_path, HEAD + MODEL.format(id="m") + OFFER)]).offers[0]
    usage = Usage(Tokens(1_000_000), Tokens(500_000), cached_tokens=Tokens(400_000))

    def price(day: str) -> Money | Unknown:
        return offer.price(usage, datetime.fromisoformat(f"{day}T12:00:00+00:00"))

    assert price("2026-05-31") == Money(Decimal("5.4"))
    assert price("2026-06-01") == Money(Decimal(3))
    assert isinstance(price("2025-12-31"), Unknown)


def test_a_call_with_a_long_input_costs_the_rates_of_long_inputs_for_all_its_tokens(tmp_path: Path) -> None:
    tiers = """long_context = [
  { above_input_tokens = 200_000, input_usd_per_million = "4", output_usd_per_million = "12" },
  { above_input_tokens = 500_000, input_usd_per_million = "6", output_usd_per_million = "12" },
]
from = "a"
"""
    offer = read_catalogue(
        [write(tmp_path, HEAD + MODEL.format(id="m") + OFFER.removesuffix('from = "a"\n') + tiers)]
    ).offers[0]

    def price(tokens: int) -> Money | Unknown:
        usage = Usage(Tokens(tokens), Tokens(100_000), cached_tokens=Tokens(100_000))
        return offer.price(usage, datetime(2026, 7, 1, tzinfo=UTC))

    assert price(200_000) == Money(Decimal("0.6"))
    assert price(200_001) == Money(Decimal("2.000004"))
    assert price(600_000) == Money(Decimal("4.8"))


def test_a_fact_that_is_left_out_is_unknown_with_a_reason(tmp_path: Path) -> None:
    model = read_catalogue([write(tmp_path, HEAD + MODEL.format(id="m"))]).models["m"]
    assert model.parameters == Unknown("not read")


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    first = write(tmp_path, HEAD + MODEL.format(id="BAD ID") + "colour = 1\n", "first.toml")
    second = write(tmp_path, MODEL.format(id="m").replace('from = "a"', 'from = "b"'), "second.toml")
    third = write(tmp_path, "x = ", "third.toml")
    with pytest.raises(InputError) as caught:
        read_catalogue([first, second, third])
    text = str(caught.value)
    for part in ("first.toml: models.0.id", "first.toml: models.0.colour", "no source is called 'b'", "third.toml"):
        assert part in text


def test_a_model_described_twice_a_missing_base_and_an_offer_of_nothing_are_mistakes(tmp_path: Path) -> None:
    text = HEAD + MODEL.format(id="n") + 'bases = ["gone"]\n' + MODEL.format(id="n") + OFFER
    with pytest.raises(InputError) as caught:
        read_catalogue([write(tmp_path, text)])
    for part in ("described twice", "'m', which is not there"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="'gone'"):
        read_catalogue([write(tmp_path, HEAD + MODEL.format(id="n") + 'bases = ["gone"]\n')])


def test_facts_of_a_plug_in_join_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, HEAD + MODEL.format(id="from-a-plug-in"))
    monkeypatch.setattr("steelyard.plugins.names", lambda kind: ("mine",) if kind == "facts" else ())
    monkeypatch.setattr("steelyard.plugins.find", lambda kind, name: tmp_path)
    assert "from-a-plug-in" in load_catalogue.__wrapped__().models
