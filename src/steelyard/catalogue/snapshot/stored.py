"""The snapshot as it is kept: offers with what each source says, and how they become models and offers."""

from __future__ import annotations

import gzip
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from steelyard.catalogue.architecture import NOT_READ
from steelyard.catalogue.model import Kind, LicenceRef, Model, Offer, Openness
from steelyard.catalogue.price import Price, Quote, Rate, RateUnit
from steelyard.catalogue.snapshot.listed import ListedPrice
from steelyard.errors import InputError, Problem
from steelyard.quantities import Fact, Sourced, Tokens, Unknown

T = TypeVar("T")
Valued: TypeAlias = tuple[T, int]
"""A value and the place of its source among the snapshot's sources."""

FILE = "snapshot.json.gz"
NO_LICENCE = Unknown("the sources of the snapshot name no licence")


@dataclass(frozen=True)
class StoredHouse:
    """A seller. `own`: it sells its own models; `terms_only_for`: its terms govern that vendor's models only."""

    id: str
    vendor: str
    own: bool
    route: str
    terms: str
    terms_only_for: str
    base_url: str
    key_env: str


@dataclass(frozen=True)
class Priced:
    """One price row, by the source at that place; `others` are (input, output, source) of the rest.

    `more` are sources that give the same price, from which its further tiers were taken.
    """

    valid_from: str
    row: ListedPrice
    by: int
    others: tuple[tuple[Decimal, Decimal, int], ...] = ()
    more: tuple[int, ...] = ()


@dataclass(frozen=True)
class Offered:
    """One model at one seller. Where sources disagree, the first value is that of most of them."""

    house: str
    served: str
    model: str
    name: str
    vendor: str
    openness: str
    kinds: tuple[Kind, ...]
    modalities: tuple[str, ...]
    context: tuple[Valued[int], ...]
    output: tuple[Valued[int], ...]
    released: tuple[Valued[str], ...]
    deprecated: tuple[Valued[str], ...]
    successor: str
    prices: tuple[Priced, ...]
    rates: tuple[int, tuple[tuple[RateUnit, Decimal], ...]] | None


@dataclass(frozen=True)
class Snapshot:
    """All of it. `sources` are (source, as_of); `read_on` is the day on which the packages were read."""

    read_on: str
    sources: tuple[tuple[str, str], ...]
    houses: tuple[StoredHouse, ...]
    offers: tuple[Offered, ...]


@cache
def at_hand() -> Snapshot:
    """The snapshot that STEELYARD_SNAPSHOT names, else the one that ships with Steelyard."""
    return read(Path(os.environ.get("STEELYARD_SNAPSHOT") or str(files("steelyard.catalogue.snapshot") / FILE)))


def read(path: Path) -> Snapshot:
    """A snapshot file. InputError where it is none."""
    try:
        snapshot: Snapshot = TypeAdapter(Snapshot).validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValidationError) as error:
        why = error.strerror if isinstance(error, FileNotFoundError) else "it is not one, or of another version"
        raise InputError(
            Problem(
                slug="snapshot-unreadable",
                what=f"the snapshot cannot be read: {why}",
                where=str(path),
                next_step="`steelyard models refresh --from FOLDER --write FILE` makes one",
            )
        ) from None
    return snapshot


def encoded(snapshot: Snapshot) -> bytes:
    """Compressed JSON; the same snapshot gives the same bytes."""
    return gzip.compress(orjson.dumps(snapshot, default=str), 9, mtime=0)


class Told:
    """A snapshot's rows as models and offers of the catalogue.

    `open_models` are ids that are known to have open weights, whatever the rows say. What the maker of open weights
    sells through its own service is another model, NAME-api: the terms of the service govern, not those of the weights.
    """

    def __init__(self, snapshot: Snapshot, open_models: frozenset[str] = frozenset()) -> None:
        self.snapshot = snapshot
        self.open_models = open_models
        self.houses = {house.id: house for house in snapshot.houses}
        self.own = {house.vendor: house for house in snapshot.houses if house.own}

    def models(self) -> tuple[Model, ...]:
        """One model a name; its facts are those of its own vendor's row, else of the row that says most."""
        grouped: defaultdict[str, list[Offered]] = defaultdict(list)
        for offered in self.snapshot.offers:
            grouped[self.id_of(offered)].append(offered)
        return tuple(self.model(id, rows) for id, rows in grouped.items() if id)

    def id_of(self, row: Offered) -> str:
        """The model that this row sells; "" where it has no name."""
        return f"{row.model}-api" if row.model and self._is_service(row) else row.model

    def _is_service(self, row: Offered) -> bool:
        house = self.houses[row.house]
        of_weights = row.openness == "open" or row.model in self.open_models
        return house.own and bool(house.terms) and house.vendor == row.vendor and of_weights

    def model(self, id: str, rows: Sequence[Offered]) -> Model:
        """The model that these rows sell."""
        lead = max(rows, key=self._says)
        service = self._is_service(lead)
        openness = "proprietary" if service else self._openness(rows, lead)
        return Model(
            id=id,
            name=f"{lead.name} (API)" if service else lead.name,
            family="",
            vendor=lead.vendor or "unknown",
            openness=openness,
            kinds=lead.kinds,
            licence=self._licence(lead, openness),
            ways=("api", "self-hosted") if openness == "open" else ("api",),
            chat=True,
            parameters=NOT_READ,
            parameters_active=NOT_READ,
            context_tokens=self._tokens(lead.context),
            languages=NOT_READ,
            released=self._fact(lead.released),
            retired=NOT_READ,
            modalities=lead.modalities or ("text",),
            deprecated=self._fact(lead.deprecated),
        )

    def offer(self, row: Offered, model: str = "") -> Offer:
        """The offer of this row, for the model of that id."""
        house = self.houses[row.house]
        return Offer(
            route=house.route,
            model=model or self.id_of(row),
            vendor=house.vendor,
            served_as=row.served,
            base_url=house.base_url,
            key_env=house.key_env,
            prices=tuple(map(self._price, row.prices)),
            regions=NOT_READ,
            retention=NOT_READ,
            trains_on_inputs=NOT_READ,
            terms=self._terms(house, row.vendor),
            context_tokens=self._tokens(row.context),
            output_tokens=self._tokens(row.output),
            deprecated=self._fact(row.deprecated),
            successor=row.successor,
            rates=self._rates(row),
        )

    def _says(self, row: Offered) -> tuple[bool, int, int]:
        house = self.houses[row.house]
        facts = (row.context, row.output, row.released, row.kinds, row.prices, row.openness)
        return (house.own and house.vendor == row.vendor, sum(map(bool, facts)), len(row.context))

    def _openness(self, rows: Sequence[Offered], lead: Offered) -> Openness:
        said = [row.openness for row in rows if row.openness]
        word = lead.openness if self.houses[lead.house].own and lead.openness else max(said, key=said.count, default="")
        return "open" if word == "open" else "proprietary" if word == "proprietary" else "unknown"

    def _licence(self, lead: Offered, openness: Openness) -> Sourced[LicenceRef] | Unknown:
        """The terms of its vendor's own service for a proprietary model, else of the house that sells it."""
        if openness == "open":
            return NO_LICENCE
        own = self.own.get(lead.vendor)
        if own is not None and own.terms and (openness == "proprietary" or own.id == lead.house):
            return self._terms(own, lead.vendor)
        terms = self._terms(self.houses[lead.house], lead.vendor)
        return NO_LICENCE if isinstance(terms, Unknown) else terms

    def _terms(self, house: StoredHouse, vendor: str) -> Sourced[LicenceRef] | Unknown:
        if not house.terms or house.terms_only_for not in ("", vendor):
            return NOT_READ
        return Sourced(LicenceRef(house.terms, ""), "the table of sellers that ships here", self.snapshot.read_on)

    def _price(self, price: Priced) -> Price:
        row, (source, as_of) = price.row, self.snapshot.sources[price.by]
        return Price(
            row.input,
            row.output,
            row.cached,
            row.cache_write,
            row.cache_write_long,
            row.reasoning,
            row.audio_input,
            row.audio_output,
            row.image_input,
            row.image_output,
            valid_from=price.valid_from,
            valid_to="",
            source="; further tiers: ".join([source, *(self.snapshot.sources[by][0] for by in price.more)]),
            as_of=as_of,
            others=tuple(Quote(given, answered, *self.snapshot.sources[by]) for given, answered, by in price.others),
            tiers=row.tiers,
        )

    def _rates(self, row: Offered) -> tuple[Rate, ...]:
        if row.rates is None:
            return ()
        source, as_of = self.snapshot.sources[row.rates[0]]
        return tuple(Rate(unit, usd, as_of, source, as_of) for unit, usd in row.rates[1])

    def _fact(self, values: Sequence[Valued[T]]) -> Fact[T]:
        if not values:
            return NOT_READ
        first, *others = (Sourced(value, *self.snapshot.sources[by]) for value, by in values)
        return Sourced(first.value, first.source, first.as_of, tuple(others)) if others else first

    def _tokens(self, values: Sequence[Valued[int]]) -> Fact[Tokens]:
        return self._fact([(Tokens(value), by) for value, by in values])
