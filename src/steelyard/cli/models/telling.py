"""Facts on paper: each with its source and date, what others say beside it, what is not known with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from steelyard.cli.say import LONGEST_LINE, say, say_json
from steelyard.visible import visible

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Candidate, Model
    from steelyard.catalogue.price import Price
    from steelyard.quantities import Fact

T = TypeVar("T")
MODEL_FACTS = (
    "licence",
    "parameters",
    "parameters_active",
    "context_tokens",
    "languages",
    "tokenizer",
    "released",
    "deprecated",
    "retired",
)
OFFER_FACTS = (
    "terms",
    "regions",
    "retention",
    "trains_on_inputs",
    "deployment",
    "context_tokens",
    "output_tokens",
    "deprecated",
    "retired",
    "support",
    "service_level",
)


def candidate_called(catalogue: Catalogue, text: str) -> Candidate:
    """The candidate of that name; InputError where there is none."""
    from steelyard.catalogue.resolve import resolve
    from steelyard.errors import InputError, Problem

    candidate = resolve(catalogue, text)
    if isinstance(candidate, Problem):
        raise InputError(candidate)
    return candidate


def models_called(catalogue: Catalogue, names: Iterable[str]) -> list[Model]:
    """The models of these names, each once; InputError names all that nobody knows."""
    from steelyard.catalogue.resolve import resolve
    from steelyard.errors import InputError, Problem

    found: dict[str, Model] = {}
    problems = []
    for name in names:
        model = catalogue.model(name)
        if model is None:
            candidate = resolve(catalogue, name)
            if isinstance(candidate, Problem):
                problems.append(candidate)
                continue
            model = candidate.model
        found[model.id] = model
    if problems:
        raise InputError(problems)
    return list(found.values())


def plain(value: object) -> str:
    """A fact's value as a person reads it."""
    from steelyard.catalogue.model import LicenceRef

    if isinstance(value, LicenceRef):
        return " ".join(part for part in (value.id, value.revision, value.acceptable_use) if part)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def short(count: int) -> str:
    """Parameters or tokens in three figures."""
    for size, unit in ((10**12, "T"), (10**9, "B")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e6:.3g} M"


def value_or_unknown(fact: Fact[T]) -> str:
    """The value alone, for a cell."""
    from steelyard.quantities import Unknown

    return "unknown" if isinstance(fact, Unknown) else plain(fact.value)


def fact_line(name: str, fact: Fact[T]) -> str:
    """Name, value, source and date; then who agrees and who says something else."""
    from steelyard.quantities import Unknown

    if isinstance(fact, Unknown):
        return f"{name}: {fact}"
    line = f"{name}: {plain(fact.value)} [{fact.source}, {fact.as_of}]"
    if not fact.others:
        return line
    differing = "; ".join(
        f"{plain(other.value)} [{other.source}, {other.as_of}]" for other in fact.others if other.value != fact.value
    )
    agreed = f"; {fact.agreeing} of {len(fact.others)} other sources agree"
    return line + agreed + (f", not: {differing}" if differing else "")


def price_lines(price: Price) -> Iterator[str]:
    """One price row: its figures, long inputs, and what other sources say."""
    rates = [f"{price.input_usd_per_million} in", f"{price.output_usd_per_million} out"]
    for name, usd in (
        ("cached in", price.cached_input_usd_per_million),
        ("written to a cache", price.cache_write_usd_per_million),
        ("written to a cache for an hour", price.cache_write_long_usd_per_million),
        ("reasoning", price.reasoning_usd_per_million),
        ("audio in", price.audio_input_usd_per_million),
        ("audio out", price.audio_output_usd_per_million),
        ("images in", price.image_input_usd_per_million),
        ("images out", price.image_output_usd_per_million),
    ):
        rates += [] if usd is None else [f"{usd} {name}"]
    yield (
        f"since {price.valid_from}: {', '.join(rates)}, USD per million tokens [{price.source}, {price.as_of}]"
        + (f"; {price.agreeing} of {len(price.others)} other sources agree" if price.others else "")
    )
    for tier in price.tiers:
        when = [f"above {tier.above_input_tokens:,} input tokens"] if tier.above_input_tokens else []
        when += [] if tier.service == "standard" else [tier.service]
        when += [f"{tier.hours[0]} to {tier.hours[1]} UTC"] if tier.hours else []
        yield f"  {', '.join(when)}: {tier.input_usd_per_million} in, {tier.output_usd_per_million} out"
    own = (price.input_usd_per_million, price.output_usd_per_million)
    for quote in price.others:
        if (quote.input_usd_per_million, quote.output_usd_per_million) != own:
            yield (
                f"  not so: {quote.input_usd_per_million} in, {quote.output_usd_per_million} out "
                f"[{quote.source}, {quote.as_of}]"
            )


def say_line(text: str) -> None:
    """One line, whatever the facts hold: a name with a line break in it makes no second line."""
    say(visible(text, LONGEST_LINE))


def say_document(document: dict[str, object]) -> None:
    """One JSON document with the version of its form."""
    import orjson

    say_json(orjson.dumps({"schema_version": "1.0", **document}, default=str, option=orjson.OPT_INDENT_2))
