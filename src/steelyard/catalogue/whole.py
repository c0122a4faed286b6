"""The catalogue with the snapshot behind it: what was written by hand wins, what the snapshot adds stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Model, Offer
from steelyard.catalogue.price import Price, Quote
from steelyard.catalogue.snapshot.stored import Snapshot, Told, at_hand
from steelyard.quantities import Fact, Unknown

T = TypeVar("T")
UNKEPT = "compatible"
"""The route of sellers without a wire of their own: they are told apart by address, not by route."""


@lru_cache(maxsize=4)
def whole(catalogue: Catalogue, snapshot: Snapshot | None = None) -> Catalogue:
    """The catalogue and every model and offer of the snapshot (by default the one at hand) that it lacks.

    A model known by hand takes up the offers under its id, its repository's name and its served names.
    """
    known = _names(catalogue)
    opened = frozenset(name for name, id in known.items() if catalogue.models[id].openness == "open")
    told = Told(snapshot or at_hand(), opened)
    models = dict(catalogue.models)
    for model in told.models():
        mine = known.get(model.id)
        if mine is None:
            models[model.id] = model
        elif models[mine].openness == "proprietary":
            models[mine] = _completed(models[mine], model)
    complete = replace(catalogue, models=models)
    offers = list(catalogue.offers)
    places = {(offer.route, offer.served_as.lower()): at for at, offer in enumerate(offers) if offer.route != UNKEPT}
    added: list[tuple[bool, Offer]] = []
    for row in told.snapshot.offers:
        id = told.id_of(row)
        if not id:
            continue
        offer = complete.under_terms(told.offer(row, known.get(id, id)))
        at = places.get((offer.route, offer.served_as.lower()))
        if at is None:
            added.append((offer.vendor != models[offer.model].vendor, offer))
        else:
            offers[at] = _joined(offers[at], offer)
    offers += [offer for _, offer in sorted(added, key=lambda pair: (pair[0], pair[1].route == UNKEPT))]
    return replace(catalogue, models=MappingProxyType(models), offers=tuple(offers))


def _names(catalogue: Catalogue) -> Mapping[str, str]:
    """How the snapshot may call the models known by hand."""
    from steelyard.catalogue.snapshot.listed import model_id

    names = {model_id(offer.served_as): offer.model for offer in catalogue.offers if offer.served_as}
    names |= {model.repository.rpartition("/")[2].lower(): model.id for model in _reversed(catalogue)}
    names |= {id: id for id in catalogue.models}
    names.pop("", None)
    return names


def _reversed(catalogue: Catalogue) -> Iterable[Model]:
    return reversed(tuple(catalogue.models.values()))


def _completed(mine: Model, told: Model) -> Model:
    """What nobody wrote down by hand is taken over; what else is said stands behind what was."""
    return replace(
        mine,
        context_tokens=_both(mine.context_tokens, told.context_tokens),
        released=_both(mine.released, told.released),
        deprecated=_both(mine.deprecated, told.deprecated),
    )


def _joined(mine: Offer, told: Offer) -> Offer:
    prices = mine.prices
    if prices and told.prices:
        prices = (*prices[:-1], _quoted(prices[-1], told.prices[-1]))
    return replace(
        mine,
        prices=prices or told.prices,
        terms=told.terms if isinstance(mine.terms, Unknown) else mine.terms,
        context_tokens=_both(mine.context_tokens, told.context_tokens),
        output_tokens=_both(mine.output_tokens, told.output_tokens),
        deprecated=_both(mine.deprecated, told.deprecated),
        successor=mine.successor or told.successor,
        rates=mine.rates or told.rates,
    )


def _quoted(mine: Price, told: Price) -> Price:
    """The other's figures beside the own ones, but no source twice; rates that were not written down are taken over."""
    own = Quote(told.input_usd_per_million, told.output_usd_per_million, told.source, told.as_of)
    quotes = [quote for quote in (own, *told.others) if quote.source.split(" ")[0] not in mine.source]
    agrees = (own.input_usd_per_million, own.output_usd_per_million) == (
        mine.input_usd_per_million,
        mine.output_usd_per_million,
    )
    extra = mine.others + tuple(quotes)
    if not agrees:
        return replace(mine, others=extra)
    return replace(
        mine,
        others=extra,
        cache_write_usd_per_million=mine.cache_write_usd_per_million or told.cache_write_usd_per_million,
        cache_write_long_usd_per_million=mine.cache_write_long_usd_per_million or told.cache_write_long_usd_per_million,
        reasoning_usd_per_million=mine.reasoning_usd_per_million or told.reasoning_usd_per_million,
        audio_input_usd_per_million=mine.audio_input_usd_per_million or told.audio_input_usd_per_million,
        audio_output_usd_per_million=mine.audio_output_usd_per_million or told.audio_output_usd_per_million,
        image_input_usd_per_million=mine.image_input_usd_per_million or told.image_input_usd_per_million,
        image_output_usd_per_million=mine.image_output_usd_per_million or told.image_output_usd_per_million,
        tiers=mine.tiers or told.tiers,
    )


def _both(mine: Fact[T], told: Fact[T]) -> Fact[T]:
    if isinstance(told, Unknown):
        return mine
    if isinstance(mine, Unknown):
        return told
    first = replace(told, others=())
    rest = [one for one in (first, *told.others) if one.source.split(" ")[0] not in mine.source]
    return replace(mine, others=mine.others + tuple(rest))
