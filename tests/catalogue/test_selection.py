"""Choosing among models: by the names that people give a house, by price, by where an offer can run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from steelyard.catalogue import selection
from steelyard.catalogue.load import Catalogue, load_catalogue
from steelyard.catalogue.model import Offer
from steelyard.catalogue.price import Price
from steelyard.catalogue.selection import Place, choice_of, choices
from steelyard.catalogue.whole import whole

PROVIDERS = (
    "Meta Llama", "Meta", "Llama 3.2", "Mistral", "Mistral AI", "Codestral", "Ministral", "Mistral Large", "Pixtral",
    "Cohere For AI", "Cohere Labs", "Aya", "Command R", "Stability AI", "Stable Diffusion", "SD 1.5", "SDXL", "SD3.5",
    "Google Gemma", "Microsoft Phi", "Microsoft", "NVIDIA Nemotron", "NVIDIA", "BigScience BLOOM", "LAION OpenCLIP",
    "EleutherAI", "Pythia", "GPT-J", "GPT-NeoX", "Qwen", "Alibaba", "BAAI BGE", "DeepSeek", "gpt-oss", "Falcon", "Yi",
    "SmolLM", "Hugging Face", "OpenAI", "GPT-4", "o1", "Azure", "Azure OpenAI", "Google Gemini", "AWS", "AWS Bedrock",
    "Amazon Bedrock", "Titan", "Jurassic-2", "AI21", "Anthropic", "Claude", "Cohere", "Cohere commercial",
    "Mistral commercial", "Palantir Foundry", "Palantir", "SageMaker", "SageMaker Edge",
)  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_has_models(provider: str, by_hand: Catalogue, at_hand: Catalogue) -> None:
    assert called(by_hand, provider) or called(at_hand, provider)


@pytest.mark.parametrize(
    ("asked", "has", "has_not"),
    [
        ("Cohere For AI", "aya-101", "command-light"),
        ("Microsoft Phi", "phi-4", "multilingual-e5-large"),
        ("Azure OpenAI", "gpt-4o", "claude-opus-4-8"),
        ("AWS Bedrock Titan", "titan-text-express", "claude-2.1"),
        ("OpenAI", "gpt-4o", "claude-opus-4-8"),
        ("sdxl", "sdxl-base-1.0", "sd3.5-large"),
        ("Gemma", "gemma-3-270m", "gemini-2.5-flash"),
    ],
)
def test_a_provider_is_found_by_whole_words_of_its_names(
    asked: str, has: str, has_not: str, at_hand: Catalogue
) -> None:
    found = called(at_hand, asked)
    assert has in found
    assert has_not not in found


@pytest.mark.parametrize("part", ["us", "oogle", "!", "Microsoft Llama"])
def test_part_of_a_word_and_a_wrong_pair_find_nobody(part: str, at_hand: Catalogue) -> None:
    assert not called(at_hand, part)


@pytest.fixture(scope="module")
def by_hand() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def at_hand() -> Catalogue:
    return whole(load_catalogue())


def called(catalogue: Catalogue, provider: str) -> set[str]:
    return {choice.model.id for choice in choices(catalogue, (), datetime.now(UTC), provider)}


def test_a_price_limit_finds_any_seller_that_keeps_it_and_both_limits_are_for_one_seller(at_hand: Catalogue) -> None:
    model = at_hand.models["gpt-5-mini"]
    first = next(offer for offer in at_hand.offers_of(model.id) if offer.prices)
    offers = tuple(priced(first, vendor, rates) for vendor, rates in {"a": (5, 5), "b": (1, 9), "c": (2, 2)}.items())

    def shown(most_in: int, most_out: int) -> str:
        def within(price: Price) -> bool:
            return price.input_usd_per_million <= most_in and price.output_usd_per_million <= most_out

        return choice_of(model, offers, True, datetime.now(UTC), within).seller

    assert (shown(9, 9), shown(1, 9), shown(2, 2), shown(1, 1)) == ("a", "b", "c", "a")


def priced(offer: Offer, vendor: str, rates: tuple[int, int]) -> Offer:
    usd = {"input_usd_per_million": Decimal(rates[0]), "output_usd_per_million": Decimal(rates[1])}
    return replace(offer, vendor=vendor, prices=(replace(offer.prices[-1], valid_to="", **usd),))


@pytest.mark.parametrize(
    ("place", "has", "has_not"),
    [
        ("cloud", "titan-text-express", "sagemaker-edge-manager"),
        ("private-cloud", "cohere-private-deployment", "gpt-4o"),
        ("on-premises", "mistral-large-2411", "claude-2.1"),
        ("on-premises", "gemini-on-gdc-connected", "gemini-2.5-flash"),
        ("private-cloud", "command", "gemini-on-gdc-connected"),
        ("hybrid", "cohere-model-vault", "claude-haiku-4-5"),
        ("edge", "foundry-local", "palantir-foundry-aip"),
        ("hybrid", "gpt-oss-120b", "titan-text-express"),
        ("hybrid", "command", "cohere-private-deployment"),
        ("edge", "sagemaker-edge-manager", "gpt-4o"),
    ],
)
def test_where_an_offer_can_run_is_a_way_too(place: Place, has: str, has_not: str, at_hand: Catalogue) -> None:
    passed = {choice.model.id: selection.way(place)(choice) for choice in choices(at_hand, (), datetime.now(UTC))}
    assert passed[has] == "yes"
    assert passed[has_not] != "yes"
