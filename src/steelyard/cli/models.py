"""`steelyard models`: what can be had, what is known of it, and getting the weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.say import say, say_json

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Candidate, Model
    from steelyard.quantities import Fact


@click.group()
def command() -> None:
    """List the models of the catalogue, show what is known of one, get weights."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_models(as_json: bool) -> None:
    """List all models: openness, vendor, size, licence, price, and whether weights are at hand."""
    from steelyard.catalogue.load import load_catalogue

    catalogue = load_catalogue()
    rows = [_row(catalogue, model) for model in sorted(catalogue.models.values(), key=lambda model: model.id)]
    if as_json:
        import orjson

        say_json(orjson.dumps({"schema_version": "1.0", "models": rows}, option=orjson.OPT_INDENT_2))
        return
    from steelyard.cli.table import print_table

    print_table(("model", "openness", "vendor", "parameters", "licence", "USD/M in, out", "weights"), rows)


@command.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(model: str, as_json: bool) -> None:
    """Show everything known of MODEL, each fact with its source and date, and what is not known with the reason."""
    from steelyard.catalogue.load import load_catalogue

    catalogue = load_catalogue()
    found = _candidate(catalogue, model).model
    if as_json:
        import orjson

        document = {"schema_version": "1.0", "model": found, "offers": catalogue.offers_of(found.id)}
        say_json(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2))
        return
    say(f"{found.id}: {found.name}, {found.vendor}, {found.openness}, {', '.join(found.kinds)}")
    for name in ("licence", "parameters", "parameters_active", "context_tokens", "languages", "released", "retired"):
        say(_fact_line(name.replace("_", " "), getattr(found, name)))
    if found.bases:
        say(f"  derives from: {', '.join(found.bases)} (their terms apply too)")
    for weights in found.weights:
        origin = ", ".join(weights.packages) or weights.repository or ", ".join(weights.members)
        say(f"  weights #{weights.name}: {weights.size_bytes:,} bytes, {weights.kind} {origin}")
        say(f"    SHA-256 {weights.sha256} [{weights.source}, {weights.as_of}]")
        if weights.requantise:
            say(f"    run as #{weights.requantise}, written once after download")
    for offer in catalogue.offers_of(found.id):
        say(f"  offer {offer.route}:{offer.served_as} at {offer.base_url}, key in {offer.key_env}")
        for price in offer.prices:
            say(
                f"    since {price.valid_from}: {price.input_usd_per_million} in, {price.output_usd_per_million} out, "
                f"{price.cached_input_usd_per_million or 'unknown'} cached in, USD per million tokens "
                f"[{price.source}, {price.as_of}]"
            )
        for name in ("regions", "retention", "trains_on_inputs"):
            say("  " + _fact_line(name.replace("_", " "), getattr(offer, name)))


@command.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--all", "everything", is_flag=True, help="Get every model that has a weights recipe.")
@click.option(
    "--study",
    type=click.Path(path_type=Path),
    help="Get what this study's candidates need, but nothing that its use may not even evaluate.",
)
def get(ids: tuple[str, ...], everything: bool, study: Path | None) -> None:
    """Fetch weights once, check their SHA-256, and print where they lie. A download is never half there."""
    from steelyard.catalogue.load import load_catalogue

    catalogue = load_catalogue()
    if not ids and not everything and study is None:
        raise click.UsageError("name one or more models, --study STUDY, or --all")
    if everything:
        ids += tuple(model.id for model in catalogue.models.values() if model.weights)
    wanted = [_candidate(catalogue, name) for name in ids] + (_of_study(catalogue, study) if study else [])
    for candidate in {candidate.model.id: candidate for candidate in wanted}.values():
        _get(candidate)


def _of_study(catalogue: Catalogue, study: Path) -> list[Candidate]:
    """The study's candidates with weights to get, less those that its use may not evaluate: judged first."""
    from datetime import UTC, datetime

    from steelyard.licences.judge import judge_candidate
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    case = load_study(study)
    wanted = []
    for candidate in candidates_of(case, catalogue):
        if candidate.weights is None:
            continue
        verdict = judge_candidate(candidate, case.use, case.workload, datetime.now(UTC).date(), purpose="evaluate")
        if verdict.status == "forbidden":
            say(f"{candidate.id}: not fetched, evaluating it is forbidden: {verdict.headline}", err=True)
        else:
            wanted.append(candidate)
    return wanted


def _get(candidate: Candidate) -> None:
    from steelyard.catalogue.target import why_not_runnable
    from steelyard.catalogue.weights import get_weights
    from steelyard.errors import NotAvailable, Problem
    from steelyard.quantities import Unknown

    if candidate.weights is None:
        no_recipe = candidate.route in ("hf", "llama-cpp", "transformers")
        why = why_not_runnable(candidate) if no_recipe else f"{candidate.id} has no weights to get"
        raise NotAvailable(Problem("weights-missing", why))
    licence = candidate.model.licence
    terms = licence.reason if isinstance(licence, Unknown) else licence.value.id
    say(
        f"{candidate.model.id}: licence {terms}; `steelyard licence judge {candidate.model.id}` "
        "says what it allows you",
        err=True,
    )
    path = get_weights(candidate.model, candidate.weights, lambda line: say(line, err=True))
    say(f"{candidate.model.id} {path}")


def _candidate(catalogue: Catalogue, text: str) -> Candidate:
    from steelyard.catalogue.resolve import resolve
    from steelyard.errors import InputError, Problem

    candidate = resolve(catalogue, text)
    if isinstance(candidate, Problem):
        raise InputError(candidate)
    return candidate


def _row(catalogue: Catalogue, model: Model) -> dict[str, str]:
    from datetime import UTC, datetime

    from steelyard.catalogue.weights import find_weights
    from steelyard.quantities import Unknown

    offers = catalogue.offers_of(model.id)
    price = offers[0].price_at(datetime.now(UTC)) if offers else Unknown("no offer")
    at_hand = [weights.requantise or weights.name for weights in model.weights if find_weights(model, weights)]
    return {
        "model": model.id,
        "openness": model.openness,
        "vendor": model.vendor,
        "parameters": "unknown" if isinstance(model.parameters, Unknown) else _short(model.parameters.value),
        "licence": "unknown" if isinstance(model.licence, Unknown) else model.licence.value.id,
        "USD/M in, out": ""
        if isinstance(price, Unknown)
        else f"{price.input_usd_per_million}, {price.output_usd_per_million}",
        "weights": ", ".join(at_hand) or ("can be got" if model.weights else ""),
    }


def _short(count: int) -> str:
    return f"{count / 1e9:.3g} B" if count >= 10**9 else f"{count / 1e6:.3g} M"


def _fact_line(name: str, fact: Fact[object]) -> str:
    from steelyard.catalogue.model import LicenceRef
    from steelyard.quantities import Unknown

    if isinstance(fact, Unknown):
        return f"  {name}: {fact}"
    value = fact.value
    if isinstance(value, LicenceRef):
        value = " ".join(part for part in (value.id, value.revision, value.acceptable_use) if part)
    elif isinstance(value, tuple):
        value = ", ".join(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        value = f"{value:,}"
    return f"  {name}: {value} [{fact.source}, {fact.as_of}]"
