"""`steelyard models list`: which models there are, and which of them pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.licence.judge import PURPOSES
from steelyard.cli.licence.options import WHAT, WHO, with_options
from steelyard.cli.models.document import choice_document
from steelyard.cli.models.judging import judge_of
from steelyard.cli.models.telling import say_document, short, value_or_unknown
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Model
    from steelyard.catalogue.price import Price
    from steelyard.catalogue.selection import Answer, Choice, Filter, Step
    from steelyard.cli.models.judging import Judge

NUMBER = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) ?([a-zA-Z]*)", re.ASCII)
PLACES = ("api", "self-hosted", "on-device", "cloud", "private-cloud", "on-premises", "hybrid", "edge")
STATUSES = ("allowed", "conditional", "forbidden", "unknown")
UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def number(text: str) -> int:
    """A number with a unit, in units of one: 7B, 128k, 24GB, 80GiB."""
    found = NUMBER.fullmatch(text.replace("_", ""))
    if found is None or found[2].lower() not in UNITS:
        raise click.BadParameter(f"{text!r} is no number with a unit, such as 7B, 128k, 24GB or 80GiB")
    return int(Decimal(found[1]) * UNITS[found[2].lower()])


def usd(text: str) -> Decimal:
    """An amount that is written as plain digits."""
    found = NUMBER.fullmatch(text)
    if found is None or found[2]:
        raise click.BadParameter(f"{text!r} is no amount in US dollars, such as 2.50")
    return Decimal(found[1])


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="The snapshot's models too; a filter looks there anyway.")
@click.option("--provider", default="", help="Who makes or sells it: OpenAI, Azure, Bedrock, Qwen ...")
@click.option("--openness", type=click.Choice(("open", "proprietary", "baseline")))
@click.option("--way", type=click.Choice(PLACES), help="How it can be had, or where an offer can run.")
@click.option("--modality", help="Its kind or what it reads or writes: text, code, embedding, image, vision ...")
@click.option("--min-size", type=number, help="Parameters, e.g. 7B.")
@click.option("--max-size", type=number, help="Parameters, e.g. 13B.")
@click.option("--min-context", type=number, help="Tokens, e.g. 128k.")
@click.option("--max-input-price", type=usd, help="US dollars per million tokens.")
@click.option("--max-output-price", type=usd, help="US dollars per million tokens.")
@click.option("--fits", type=number, help="Memory that it must run in with one sequence of 8k tokens, e.g. 24GB.")
@click.option(
    "--bits", type=click.Choice(("4", "8", "16")), help="Width of a parameter for --fits [default: as published]."
)
@click.option("--current", is_flag=True, help="Leave out what is deprecated or retired.")
@click.option("--licence", "statuses", help="Verdicts that pass for the use that the options below or --study state.")
@click.option("--study", type=click.Path(path_type=Path), help="Judge for a study's use; take its own facts too.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="What it is for; shows the verdict of every model.")
@with_options(WHAT, WHO)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_command(everything: bool, provider: str, study: Path | None, as_json: bool, **options: Any) -> None:
    """List models: who makes them, size, licence, price, and whether weights are at hand.

    Without a filter: those described by hand. A filter looks among the thousands of the snapshot as well. Where the
    fact that a filter asks for is not known, the model does not pass, and is counted.
    """
    from steelyard.catalogue.own import catalogue_for
    from steelyard.catalogue.selection import choices, select
    from steelyard.catalogue.whole import whole

    at = datetime.now(UTC)
    by_hand = catalogue_for(study)
    judge = judge_of(study, options, at)
    filters = _filters(options, judge, at)
    wide = everything or bool(filters) or bool(provider)
    catalogue = whole(by_hand) if wide else by_hand
    rows = choices(catalogue, by_hand.models, at, provider, _within(options))
    if provider and not rows:
        say(_nobody(provider, catalogue), err=True)
    kept, steps = select(rows, filters)
    if as_json:
        say_document(
            {
                "models": [choice_document(choice, judge) for choice in kept],
                "filters": [{"filter": step.name, "left": step.left, "unknown": step.unknown} for step in steps],
            }
        )
    elif kept:
        from steelyard.cli.table import print_table

        cells = [_row(choice, judge) for choice in kept]
        print_table(tuple(cells[0]), cells)
    for line in _remarks(len(rows), steps, wide) if rows or not provider else ():
        say(line, err=True)


def _filters(options: dict[str, Any], judge: Judge | None, at: datetime) -> list[Filter]:
    from steelyard.catalogue import selection
    from steelyard.catalogue.selection import Filter
    from steelyard.cli.models import fitting
    from steelyard.quantities import Bytes

    bits = int(options["bits"]) if options["bits"] else None
    tests: dict[str, Callable[[Any], Callable[[Choice], Answer]]] = {
        "openness": selection.openness,
        "way": selection.way,
        "modality": selection.kind,
        "min_size": lambda value: selection.at_least(lambda model: model.parameters, value),
        "max_size": lambda value: selection.at_most(lambda model: model.parameters, value),
        "min_context": lambda value: selection.at_least(lambda model: model.context_tokens, value),
        "max_input_price": lambda value: selection.cheaper(lambda price: price.input_usd_per_million, value),
        "max_output_price": lambda value: selection.cheaper(lambda price: price.output_usd_per_million, value),
        "fits": lambda value: fitting.fits(Bytes(value), bits),
        "current": lambda _: selection.current(at.date()),
    }
    found = [
        Filter(f"--{name.replace('_', '-')} {'' if value is True else value}".strip(), tests[name](value))
        for name in tests
        if (value := options[name]) not in (None, False)
    ]
    if options["statuses"] and judge is not None:
        wanted = _statuses(options["statuses"])
        found.append(Filter(f"--licence {options['statuses']}", _passes(judge, wanted)))
    return found


def _within(options: dict[str, Any]) -> Callable[[Price], bool] | None:
    """Both limits at one seller; None where none is set."""
    most_in, most_out = options["max_input_price"], options["max_output_price"]
    if most_in is None and most_out is None:
        return None
    return lambda price: (
        (most_in is None or price.input_usd_per_million <= most_in)
        and (most_out is None or price.output_usd_per_million <= most_out)
    )


def _statuses(text: str) -> frozenset[str]:
    wanted = frozenset(part.strip() for part in text.split(","))
    if not wanted <= set(STATUSES):
        raise click.UsageError(f"--licence {text}: verdicts are {', '.join(STATUSES)}, with commas between them")
    return wanted


def _passes(judge: Judge, wanted: frozenset[str]) -> Callable[[Choice], Answer]:
    def test(choice: Choice) -> Answer:
        status = judge.status(choice)
        return "yes" if status in wanted else "unknown" if status == "unknown" else "no"

    return test


def _row(choice: Choice, judge: Judge | None) -> dict[str, str]:
    from steelyard.catalogue.weights import find_weights
    from steelyard.quantities import Unknown

    model, price = choice.model, choice.price
    at_hand = [weights.requantise or weights.name for weights in model.weights if find_weights(model, weights)]
    row = {
        "model": model.id,
        "openness": model.openness,
        "vendor": model.vendor,
        "parameters": "unknown" if isinstance(model.parameters, Unknown) else short(model.parameters.value),
        "context": value_or_unknown(model.context_tokens),
        "licence": "unknown" if isinstance(model.licence, Unknown) else model.licence.value.id,
    }
    if judge is not None:
        row["verdict"] = judge.status(choice)
    return row | {
        "USD/M in, out": ("unpriced" if choice.offers else "")
        if isinstance(price, Unknown)
        else f"{price.input_usd_per_million}, {price.output_usd_per_million}",
        "sold by": choice.seller + (f" +{len(choice.offers) - 1}" if len(choice.offers) > 1 else ""),
        "state": _state(model),
        "weights": ", ".join(at_hand) or ("can be got" if model.weights else ""),
        "facts": "by hand" if choice.by_hand else "snapshot",
    }


def _state(model: Model) -> str:
    """Retired or deprecated, on which day, and what takes its place."""
    from steelyard.quantities import Unknown

    for name, fact in (("retired", model.retired), ("deprecated", model.deprecated)):
        if not isinstance(fact, Unknown):
            return f"{name} {fact.value.partition(';')[0]}" + (f", now {model.successor}" if model.successor else "")
    return ""


def _nobody(provider: str, catalogue: Catalogue) -> str:
    from steelyard.catalogue.houses import names_of
    from steelyard.catalogue.ids import nearest

    return f"nobody called {provider!r} makes or sells a model of the catalogue{nearest(provider, names_of(catalogue))}"


def _remarks(count: int, steps: tuple[Step, ...], wide: bool) -> list[str]:
    """What the reader of stdout should know besides: which filter emptied the list, what was not known."""
    before = count
    lines: list[str] = []
    for step in steps:
        unknown = f"; of {step.unknown} the fact is not known" if step.unknown else ""
        if not step.left:
            return [*lines, f"{step.name} leaves none of {before}{unknown}"]
        if step.unknown:
            lines.append(f"{step.name}: {step.left} of {before} pass{unknown}")
        before = step.left
    if any(step.name.startswith("--fits") for step in steps):
        lines.append("--fits: one sequence of 8k tokens; `steelyard size show MODEL` has machines and batches")
    return lines if wide else [*lines, "those described by hand; --all or a filter looks among thousands more"]
