"""Facts come with source and date, or not at all; what is not known says why."""

from __future__ import annotations

import time
import tomllib
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from steelyard.catalogue import Model
from steelyard.catalogue.architecture import Experts, Layers
from steelyard.catalogue.load import load_catalogue, read_catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.whole import whole
from steelyard.errors import InputError, Problem
from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge_model
from steelyard.licences.load import load_licences
from steelyard.providers.protocol import Usage
from steelyard.quantities import Fact, Money, Sourced, Tokens, Unknown

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


def facts_of(model: Model) -> list[Fact[object]]:
    """Every fact of a record, found by its type, so that none is forgotten."""
    values = [getattr(model, one.name) for one in fields(model)]
    return [value for value in values if isinstance(value, Unknown | Sourced)]


def test_the_shipped_facts_load_and_every_fact_has_a_source_and_a_date() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.models) >= 450
    for model in catalogue.models.values():
        found = facts_of(model)
        assert len(found) >= 11
        for fact in found:
            assert fact.reason if isinstance(fact, Unknown) else fact.source and fact.as_of
        for row in (*model.weights, *model.editions, *model.former_licences, *model.further_licences):
            assert row.source
            assert row.as_of
        for weights in model.weights:
            assert all("==" in package for package in weights.packages)
    assert all(price.source and price.as_of for offer in catalogue.offers for price in offer.prices)


def test_the_numbers_of_a_shipped_network_agree_with_each_other() -> None:
    for model in load_catalogue().models.values():
        if isinstance(model.parameters, Sourced) and isinstance(model.parameters_active, Sourced):
            assert 0 < model.parameters_active.value <= model.parameters.value, model.id
        if isinstance(model.architecture, Unknown):
            continue
        network = model.architecture.value
        assert network.layers > 0, model.id
        assert network.hidden_size > 0, model.id
        if isinstance(network.heads, int) and isinstance(network.kv_heads, int):
            assert network.heads % network.kv_heads == 0, model.id
        if not isinstance(network.mixers, Unknown):
            assert sum(kind.count for kind in network.mixers) == network.layers, model.id
            for kind in network.mixers:
                assert (kind.window > 0) == (kind.mixer in ("sliding", "chunked")), model.id
                if kind.mixer in ("linear", "state-space"):
                    assert network.recurrent is not None, model.id
        if network.experts is not None:
            assert 0 < network.experts.active <= network.experts.total, model.id


def test_lineage_is_whole_and_ends() -> None:
    models = load_catalogue().models
    for model in models.values():
        ancestors = list(model.bases)
        for base in ancestors:
            ancestors += models[base].bases
            assert len(ancestors) < 20, model.id
        assert model.id not in ancestors
        if model.bases:
            assert isinstance(model.lineage, Sourced), model.id
            assert model.lineage.value == "derived", model.id


HOUSES = (
    *("Meta", "Mistral AI", "Cohere Labs", "Stability AI", "Google", "Microsoft", "NVIDIA", "BigScience", "LAION"),
    *("EleutherAI", "Alibaba Cloud", "BAAI", "DeepSeek", "OpenAI", "TII", "01.AI", "Hugging Face"),
)


@pytest.mark.parametrize("vendor", HOUSES)
def test_every_house_of_open_models_has_records_that_licences_and_sizing_can_use(vendor: str) -> None:
    theirs = [m for m in load_catalogue().models.values() if m.vendor == vendor and m.openness == "open"]
    assert len(theirs) >= 3
    assert any(isinstance(model.licence, Sourced) and isinstance(model.parameters, Sourced) for model in theirs)


UNPRICED = {
    "aws-greengrass-ml": "no model",
    "cohere-model-vault": "a contract",
    "cohere-private-deployment": "a contract",
    "foundry-local": "no model",
    "foundry-local-agentic-retrieval": "no model",
    "gemini-on-gdc-connected": "a contract",
    "mistral-commercial-self-hosted": "a contract",
    "palantir-foundry-aip": "a contract",
    "rerank-v3.5": "priced by the search",
    "titan-image-generator-v2": "priced by the image",
}


def test_every_proprietary_model_that_is_sold_has_a_price() -> None:
    catalogue = whole(load_catalogue())
    for id in load_catalogue().models:
        model = catalogue.models[id]
        if model.openness == "proprietary" and id not in UNPRICED and isinstance(model.retired, Unknown):
            rows = [offer.price_at(datetime(2026, 11, 24, tzinfo=UTC)) for offer in catalogue.offers_of(id)]
            assert any(not isinstance(row, Unknown) for row in rows), id


def test_the_tokenizer_of_a_model_that_is_sold_has_a_source_or_a_reason_of_its_own() -> None:
    models = load_catalogue().models
    named = {"gpt-4o": "o200k", "gpt-4": "cl100k", "gemini-2.5-flash": "gemma-3", "codestral-2405": "mistral-v3"}
    for id, name in named.items():
        tokenizer = models[id].tokenizer
        assert isinstance(tokenizer, Sourced)
        assert tokenizer.value == name
    for model in models.values():
        if model.vendor in ("OpenAI", "Anthropic", "AI21", "Cohere") and model.openness == "proprietary":
            assert not isinstance(model.tokenizer, Unknown) or model.tokenizer.reason != "not read", model.id


def test_a_retired_model_says_when_it_ended_and_what_took_its_place() -> None:
    models = load_catalogue().models
    edge = models["sagemaker-edge-manager"]
    assert isinstance(edge.retired, Sourced)
    assert edge.retired.value == "2024-04-26"
    for id in ("sagemaker-edge-manager", "j2-ultra", "text-bison", "claude-2.1", "gpt-4-32k"):
        assert models[id].successor in models


def test_what_holds_for_a_seller_holds_for_its_offers_that_say_nothing_else() -> None:
    catalogue = whole(load_catalogue())
    by_vendor = {offer.vendor: offer for offer in catalogue.offers_of("gpt-5-mini")}
    for vendor in ("OpenAI", "Azure"):
        trains = by_vendor[vendor].trains_on_inputs
        assert isinstance(trains, Sourced)
        assert trains.value is False
    azure = next(offer for offer in catalogue.offers_of("deepseek-r1") if offer.vendor == "Azure")
    assert isinstance(azure.retention, Unknown), "Azure's word on OpenAI's models says nothing of others"


def test_what_the_maker_of_open_weights_sells_itself_is_another_model_under_other_terms() -> None:
    catalogue = whole(load_catalogue())
    sold = catalogue.models["command-a-03-2025-api"]
    assert isinstance(sold.licence, Sourced)
    assert (sold.openness, sold.licence.value.id) == ("proprietary", "cohere-api-terms")
    found = resolve(load_catalogue(), "cohere:command-a-03-2025")
    assert not isinstance(found, Problem)
    assert found.model is sold


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
    tiers = """tiers = [
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


ARCHITECTURE = 'architecture = { layers = 4, hidden_size = 64, heads = 4, kv_heads = 2, %s from = "a" }\n'


def test_a_number_of_a_network_that_is_left_out_was_not_read(tmp_path: Path) -> None:
    text = HEAD + MODEL.format(id="m") + ARCHITECTURE % 'experts = { total = 8, active = 2 }, mixers = "full",'
    fact = read_catalogue([write(tmp_path, text)]).models["m"].architecture
    assert isinstance(fact, Sourced)
    assert (fact.value.layers, fact.value.kv_heads) == (4, 2)
    assert fact.value.head_size == Unknown("not read")
    assert fact.value.experts == Experts(8, 2)
    assert fact.value.mixers == (Layers("full", 4),)
    assert fact.value.latent is None


def test_layers_that_do_not_add_up_are_a_mistake(tmp_path: Path) -> None:
    mixers = 'mixers = [{ mixer = "full", count = 1 }, { mixer = "sliding", count = 2, window = 512 }],'
    with pytest.raises(InputError, match="do not add up to 4 layers"):
        read_catalogue([write(tmp_path, HEAD + MODEL.format(id="m") + ARCHITECTURE % mixers)])


def test_what_a_familys_models_have_in_common_stands_once_and_a_model_may_differ(tmp_path: Path) -> None:
    row = '[[models]]\nid = "{}"\nname = "M"\nfamily = "F"\nkinds = ["text"]\nways = []\nchat = true\n'
    common = '[families.F]\nvendor = "V"\nopenness = "open"\nlicence = { id = "mit", revision = "", from = "a" }\n'
    text = HEAD + common + row.format("m") + row.format("n") + 'vendor = "W"\n'
    models = read_catalogue([write(tmp_path, text)]).models
    assert (models["m"].vendor, models["n"].vendor) == ("V", "W")
    assert models["m"].licence == models["n"].licence


def test_a_json_file_says_what_a_toml_file_says(tmp_path: Path) -> None:
    text = HEAD + MODEL.format(id="m") + OFFER
    toml = read_catalogue([write(tmp_path, text)])
    json = read_catalogue([write(tmp_path, orjson.dumps(tomllib.loads(text)).decode(), "facts.json")])
    assert (json.models, json.offers) == (toml.models, toml.offers)


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    text = HEAD + MODEL.format(id="m") + 'parameters = { value = "many", from = "a" }\n'
    with pytest.raises(InputError) as caught:
        read_catalogue([write(tmp_path, text)])
    assert len(caught.value.problems) == 1


def test_five_thousand_models_are_read_listed_and_judged_in_two_seconds(tmp_path: Path) -> None:
    """Licences in the proportions of the shipped records; all under one use."""
    shipped = [m for m in load_catalogue().models.values() if isinstance(m.licence, Sourced) and m.openness == "open"]
    raw = tomllib.loads(HEAD + MODEL.format(id="m") + ARCHITECTURE % 'mixers = "full",')
    rows = []
    for number in range(5000):
        licence = shipped[number % len(shipped)].licence
        assert isinstance(licence, Sourced)
        terms = {"id": licence.value.id, "revision": licence.value.revision, "from": "a"}
        rows.append(raw["models"][0] | {"id": f"m{number}", "licence": terms})
    path = write(tmp_path, orjson.dumps(raw | {"models": rows}).decode(), "facts.json")
    load_licences()
    begun = time.process_time()
    catalogue = read_catalogue([path])
    facts = Facts(purpose="product", commercial=True, kind="company", domicile=("DE",), users_in=("DE",))
    verdicts = [
        judge_model(model, facts, date(2026, 11, 24), catalogue=catalogue) for model in catalogue.models.values()
    ]
    assert len({verdict.status for verdict in verdicts}) >= 3
    assert time.process_time() - begun < 2


def test_the_parameters_of_a_dense_decoder_are_those_of_its_numbers() -> None:
    """Attention, feed-forward matrices (gated or not), one or two embeddings: within 5 % of what was published."""
    compared = 0
    for model in load_catalogue().models.values():
        if isinstance(model.architecture, Unknown) or isinstance(model.parameters, Unknown):
            continue
        network, published = model.architecture.value, model.parameters.value
        numbers = (network.heads, network.kv_heads, network.head_size, network.feed_forward, network.vocabulary)
        plain = network.shape == "decoder" and network.experts is None and network.latent is None
        uniform = not isinstance(network.mixers, Unknown) and network.recurrent is None
        if not plain or not uniform or set(model.modalities) != {"text"} or "nominal" in model.parameters.source:
            continue
        heads, kv_heads, head_size, inner, vocabulary = (n if isinstance(n, int) else 0 for n in numbers)
        if not (heads and kv_heads and head_size and inner and vocabulary):
            continue
        attention = 2 * network.hidden_size * head_size * (heads + kv_heads)
        counts = [
            network.layers * (attention + matrices * network.hidden_size * inner)
            + embeddings * vocabulary * network.hidden_size
            for matrices in (2, 3)
            for embeddings in (1, 2)
        ]
        compared += 1
        assert min(abs(count / published - 1) for count in counts) < 0.05, model.id
    assert compared > 150
