"""`steelyard models show`: everything that is known of one model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.scores import told
from steelyard.cli.models.telling import (
    MODEL_FACTS,
    OFFER_FACTS,
    candidate_called,
    fact_line,
    price_lines,
    say_document,
    say_line,
)
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.model import Model, Offer

SHOWN = 5


@click.command("show")
@click.argument("model")
@click.option(
    "--study", type=click.Path(path_type=Path), help="Take the study's own facts too (models.toml beside it)."
)
@click.option("--every-seller", is_flag=True, help="Tell all of every seller, not one line for each that has no terms.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show_command(model: str, study: Path | None, every_seller: bool, as_json: bool) -> None:
    """Show everything known of MODEL, each fact with its source and date, and what is not known with the reason."""
    from steelyard.catalogue.own import catalogue_for
    from steelyard.catalogue.whole import whole

    catalogue = whole(catalogue_for(study))
    found = catalogue.model(model) or candidate_called(catalogue, model).model
    offers = catalogue.offers_of(found.id)
    if as_json:
        from steelyard.cli.models.sizes import computed_sizes

        say_document({"model": found, "offers": offers, "computed_weights": computed_sizes(found)})
        return
    for line in _of_model(found):
        say_line(line)
    brief = [] if every_seller else [offer for offer in offers if offer.route == "compatible"]
    for offer in offers:
        if offer not in brief:
            for line in _of_offer(offer):
                say_line(line)
    if brief:
        others = "1 other" if len(brief) == 1 else f"{len(brief)} others"
        say(f"  sold by {others} under terms that nobody here has read (--every-seller tells all of them):")
        for offer in brief:
            say_line(f"    {offer.vendor}: {_brief(offer)}")


def _of_model(model: Model) -> Iterator[str]:
    from steelyard.catalogue.scores.kept import scores_of, shipped
    from steelyard.cli.models.sizes import computed_sizes, gigabytes
    from steelyard.quantities import Unknown

    yield f"{model.id}: {model.name}, {model.vendor}, {model.openness}, {', '.join(model.kinds)}"
    yield f"  reads and writes: {', '.join(model.modalities)}"
    yield f"  ways: {', '.join(model.ways) or 'none any more'}"
    for name in MODEL_FACTS:
        yield "  " + fact_line(name.replace("_", " "), getattr(model, name))
    yield "  " + fact_line("lineage", model.lineage)
    for licence in model.further_licences:
        yield "  " + fact_line("also under", licence)
    for former in model.former_licences:
        until = f"until {former.until}" if former.until else "formerly"
        yield f"  {until}: {former.licence.id} {former.licence.revision} [{former.source}, {former.as_of}]"
    if model.successor:
        yield f"  successor: {model.successor}"
    if model.bases:
        yield f"  derives from: {', '.join(model.bases)} (their terms apply too)"
    for weights in model.weights:
        origin = ", ".join(weights.packages) or weights.repository or ", ".join(weights.members)
        yield f"  weights #{weights.name}: {weights.size_bytes:,} bytes, {weights.kind} {origin}"
        yield f"    SHA-256 {weights.sha256} [{weights.source}, {weights.as_of}]"
        if weights.requantise:
            yield f"    run as #{weights.requantise}, written once after download"
    for edition in model.editions:
        kinds = ", ".join(edition.quantisations)
        size = "" if isinstance(edition.size_bytes, Unknown) else f", {edition.size_bytes.value:,} bytes"
        yield f"  edition {edition.repository}: {edition.format} {kinds}{size} [{edition.source}, {edition.as_of}]"
    sizes = computed_sizes(model)
    if isinstance(sizes, Unknown):
        if model.openness == "open":
            yield f"  size of the weights: {sizes}"
    elif sizes:
        told_sizes = ", ".join(f"{size.precision} {gigabytes(size.size_bytes)}" for size in sizes)
        yield f"  size of the weights, computed, not published: {told_sizes} ({sizes[0].how})"
    scores = scores_of(model, shipped())
    for score in scores[:SHOWN]:
        yield f"  hearsay: {told(score)}"
    if scores:
        more = f"and {len(scores) - SHOWN} more; " if len(scores) > SHOWN else ""
        command = f"`steelyard models scores --model {model.id}`"
        yield f"  ({more}public scores are no measurement, and in no decision: {command})"


def _of_offer(offer: Offer) -> Iterator[str]:
    at = f" at {offer.base_url}" if offer.base_url else ""
    key = f", key in {offer.key_env}" if offer.key_env else ""
    yield f"  offer {offer.route}:{offer.served_as} by {offer.vendor}{at}{key}"
    for price in offer.prices:
        for line in price_lines(price):
            yield f"    {line}"
    for rate in offer.rates:
        yield f"    {rate.usd} USD per {rate.unit} [{rate.source}, {rate.as_of}]"
    if not offer.prices and not offer.rates:
        yield "    unpriced: no price was found"
    for name in OFFER_FACTS:
        yield "    " + fact_line(name.replace("_", " "), getattr(offer, name))
    if offer.successor:
        yield f"    successor: {offer.successor}"


def _brief(offer: Offer) -> str:
    if not offer.prices:
        return f"{offer.served_as}, price unknown"
    price = offer.prices[-1]
    return (
        f"{offer.served_as}, {price.input_usd_per_million} in, {price.output_usd_per_million} out since "
        f"{price.valid_from} [{price.source}]"
    )
