"""A model of a list for programs: numbers as numbers with the unit in the name, null for what is not known, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.catalogue.selection import Choice
    from steelyard.cli.models.judging import Judge

MODEL_NUMBERS = ("parameters", "parameters_active", "context_tokens")
MODEL_TEXTS = ("languages", "tokenizer", "released", "deprecated", "retired")


def choice_document(choice: Choice, judge: Judge | None) -> dict[str, object]:
    """The row of a list, whole; `unknown` tells the reason behind every null."""
    from steelyard.catalogue.selection import weights_bytes
    from steelyard.catalogue.weights import find_weights
    from steelyard.quantities import Sourced, Unknown

    model, price = choice.model, choice.price
    facts = {name: getattr(model, name) for name in MODEL_NUMBERS + MODEL_TEXTS}
    facts |= {"licence": model.licence, "weights_bytes": weights_bytes(model)}
    known = {name: fact.value if isinstance(fact, Sourced) else None for name, fact in facts.items()}
    unknown = {name: fact.reason for name, fact in facts.items() if isinstance(fact, Unknown)}
    terms = None if isinstance(model.licence, Unknown) else model.licence.value
    row: dict[str, object] = {
        "model": model.id,
        "name": model.name,
        "vendor": model.vendor,
        "family": model.family,
        "openness": model.openness,
        "kinds": model.kinds,
        "modalities": model.modalities,
        "ways": model.ways,
        **known,
        "licence": terms.id if terms else None,
        "licence_revision": terms.revision if terms else None,
        "bases": model.bases,
        "successor": model.successor or None,
    }
    if judge is not None:
        verdict = judge.verdict(choice)
        row |= {"verdict": verdict.status, "headline": verdict.headline}
    if isinstance(price, Unknown):
        unknown["price"] = price.reason
        row |= {"input_usd_per_million": None, "output_usd_per_million": None, "price_sources": 0, "price_agreeing": 0}
    else:
        row |= {
            "input_usd_per_million": float(price.input_usd_per_million),
            "output_usd_per_million": float(price.output_usd_per_million),
            "price_sources": 1 + len(price.others),
            "price_agreeing": 1 + price.agreeing,
        }
    at_hand = [weights.requantise or weights.name for weights in model.weights if find_weights(model, weights)]
    return row | {
        "seller": choice.seller or None,
        "sellers": tuple(dict.fromkeys(offer.vendor for offer in choice.offers)),
        "weights_at_hand": at_hand,
        "weights_can_be_got": bool(model.weights),
        "facts": "by hand" if choice.by_hand else "snapshot",
        "unknown": unknown,
    }
