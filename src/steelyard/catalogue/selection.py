"""Choosing among thousands of models: filters that say yes, no, or that the fact they ask for is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias, TypeVar

from steelyard.catalogue.houses import makes, sells, words
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Deployment, Model, Offer, Openness
from steelyard.catalogue.price import Price
from steelyard.quantities import Bytes, Fact, Sourced, Unknown

T = TypeVar("T", bound=int)
Answer: TypeAlias = Literal["yes", "no", "unknown"]
Place: TypeAlias = Literal["api", "self-hosted", "on-device", "cloud", "private-cloud", "on-premises", "hybrid", "edge"]
"""A way, or where it can run: one's own account or house, partly there and partly at a seller, on devices."""
_OWN: frozenset[Deployment] = frozenset(("private-cloud", "on-premises", "edge"))
_SOLD: frozenset[Deployment] = frozenset(("vendor-cloud", "cloud"))
MARGIN = 1.2
"""What runs beside the weights, as a share of them: a rough allowance until memory is computed from the network."""


@dataclass(frozen=True)
class Choice:
    """One model as a list shows it. `price` is that of `seller`, the first offer that has one today within limits."""

    model: Model
    offers: tuple[Offer, ...]
    price: Price | Unknown
    seller: str
    by_hand: bool


@dataclass(frozen=True)
class Filter:
    """`name` as the user wrote it."""

    name: str
    test: Callable[[Choice], Answer]


@dataclass(frozen=True)
class Step:
    """How many a filter left, and how many of those it dropped it could not judge."""

    name: str
    left: int
    unknown: int


def choices(
    catalogue: Catalogue,
    by_hand: Iterable[str],
    at: datetime,
    provider: str = "",
    within: Callable[[Price], bool] | None = None,
) -> tuple[Choice, ...]:
    """Every model of that provider (its maker, its family, or who sells it), those described by hand first.

    Of the sellers the first whose price today is `within` limits is shown; the first with a price where none is.
    """
    mine, asked = frozenset(by_hand), words(provider)
    found = []
    for model in catalogue.models.values():
        offers = catalogue.offers_of(model.id)
        if provider and not makes(model, asked):
            offers = tuple(offer for offer in offers if sells(offer, model, asked))
            if not offers:
                continue
        found.append(choice_of(model, offers, model.id in mine, at, within))
    return tuple(sorted(found, key=lambda choice: (not choice.by_hand, choice.model.id)))


def select(rows: Sequence[Choice], filters: Sequence[Filter]) -> tuple[tuple[Choice, ...], tuple[Step, ...]]:
    """What passes all filters, and what each of them left. Where a fact is not known, a model does not pass."""
    steps = []
    for one in filters:
        answers = [one.test(row) for row in rows]
        rows = [row for row, answer in zip(rows, answers, strict=True) if answer == "yes"]
        steps.append(Step(one.name, len(rows), answers.count("unknown")))
    return tuple(rows), tuple(steps)


def openness(wanted: Openness) -> Callable[[Choice], Answer]:
    """Open weights, proprietary, a baseline."""
    return lambda choice: "unknown" if choice.model.openness == "unknown" else _is(choice.model.openness == wanted)


def kind(wanted: str) -> Callable[[Choice], Answer]:
    """A kind of model, or a modality that it reads or writes."""
    return lambda choice: _is(wanted in choice.model.kinds or wanted in choice.model.modalities)


def way(wanted: Place) -> Callable[[Choice], Answer]:
    """Through an API that somebody sells, run by oneself, or where an offer can run.

    Open weights run on own premises and in an own account as well; `hybrid` is what can be had both ways.
    """

    def test(choice: Choice) -> Answer:
        ways, offers = choice.model.ways, choice.offers
        told = {place for offer in offers if isinstance(offer.deployment, Sourced) for place in offer.deployment.value}
        own = "self-hosted" in ways
        if wanted in ("self-hosted", "on-device"):
            return _is(wanted in ways or (wanted == "on-device" and "edge" in told))
        if wanted == "api":
            return _is("api" in ways or bool(offers))
        if wanted in told or (wanted in ("private-cloud", "on-premises") and own and choice.model.openness == "open"):
            return "yes"
        if wanted == "edge":
            return _is("on-device" in ways)
        if wanted == "hybrid" and (own or told & _OWN) and any(map(_served, offers)):
            return "yes"
        return "unknown" if any(isinstance(offer.deployment, Unknown) for offer in offers) else "no"

    return test


def _served(offer: Offer) -> bool:
    """Whether somebody else's machines answer: of most who sell open models nobody wrote down where they run."""
    return isinstance(offer.deployment, Unknown) or bool(_SOLD & set(offer.deployment.value))


def at_least(fact: Callable[[Model], Fact[T]], least: int) -> Callable[[Choice], Answer]:
    """A number of the model that must not be smaller."""
    return _number(fact, lambda value: value >= least)


def at_most(fact: Callable[[Model], Fact[T]], most: int) -> Callable[[Choice], Answer]:
    """A number of the model that must not be larger."""
    return _number(fact, lambda value: value <= most)


def cheaper(of: Callable[[Price], Decimal], most: Decimal) -> Callable[[Choice], Answer]:
    """A price of today's row that must not be higher: that of the seller who is shown, see `choices`."""

    def test(choice: Choice) -> Answer:
        return "unknown" if isinstance(choice.price, Unknown) else _is(of(choice.price) <= most)

    return test


def fits(memory: Bytes, bits: int | None) -> Callable[[Choice], Answer]:
    """Whether the weights and a margin go into so much memory. Rough: cache and activations depend on the use."""

    def test(choice: Choice) -> Answer:
        size = weights_bytes(choice.model, bits)
        return "unknown" if isinstance(size, Unknown) else _is(size.value * MARGIN <= memory)

    return test


def current(on: date) -> Callable[[Choice], Answer]:
    """Neither deprecated nor retired on that day, as far as anybody says."""

    def gone(fact: Fact[str]) -> bool:
        return isinstance(fact, Sourced) and (not fact.value[:4].isdigit() or fact.value <= on.isoformat())

    def test(choice: Choice) -> Answer:
        model = choice.model
        return _is(not gone(model.deprecated) and not gone(model.retired))

    return test


def weights_bytes(model: Model, bits: int | None = None) -> Fact[Bytes]:
    """The smallest weights that are published; with `bits`, or where none are listed, parameters times width (16)."""
    known = [Sourced(weights.size_bytes, weights.source, weights.as_of) for weights in model.weights]
    known += [edition.size_bytes for edition in model.editions if isinstance(edition.size_bytes, Sourced)]
    if known and bits is None:
        return min(known, key=lambda size: size.value)
    count = model.parameters
    if isinstance(count, Unknown):
        return count
    width = bits or 16
    return Sourced(Bytes(count.value * width // 8), f"{width} bits a parameter; {count.source}", count.as_of)


def choice_of(
    model: Model,
    offers: tuple[Offer, ...],
    by_hand: bool,
    at: datetime,
    within: Callable[[Price], bool] | None = None,
) -> Choice:
    """The model with the first of these offers that has a price that day, and one within limits where there is one."""
    first: Choice | None = None
    price: Price | Unknown = Unknown("nobody sells it, as far as is known")
    for offer in offers:
        price = offer.price_at(at)
        if isinstance(price, Unknown):
            continue
        choice = Choice(model, offers, price, offer.vendor, by_hand)
        if within is None or within(price):
            return choice
        first = first or choice
    return first or Choice(model, offers, price, "", by_hand)


def _number(fact: Callable[[Model], Fact[T]], holds: Callable[[int], bool]) -> Callable[[Choice], Answer]:
    def test(choice: Choice) -> Answer:
        value = fact(choice.model)
        return "unknown" if isinstance(value, Unknown) else _is(holds(value.value))

    return test


def _is(truth: bool) -> Answer:
    return "yes" if truth else "no"
