"""Facts from TOML files to the nouns of the catalogue; every mistake of a file is reported, not the first one only.

A file has `[sources.NAME]` (source, as_of), `[[models]]` and `[[offers]]`. A fact is `{value = ..., from = "NAME"}` or
`{unknown = "reason"}`; a fact that is left out is Unknown("not read").
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from steelyard import plugins
from steelyard.catalogue.model import Kind, LicenceRef, Model, Offer, Openness, Price, PublicScore, Way, Weights
from steelyard.errors import InputError, Problem
from steelyard.quantities import Bytes, Fact, Sourced, Tokens, Unknown

T = TypeVar("T")
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
NOT_READ = "not read"


@dataclass(frozen=True)
class Catalogue:
    """All models and offers at hand. Offers of one model stand in the order of their files."""

    models: Mapping[str, Model]
    offers: tuple[Offer, ...]

    def model(self, id: str) -> Model | None:
        """The model of that id or Hugging Face repository."""
        if id in self.models:
            return self.models[id]
        return next((model for model in self.models.values() if model.repository == id), None)

    def offers_of(self, model: str) -> tuple[Offer, ...]:
        """Everything a model is offered for, by model id."""
        return tuple(offer for offer in self.offers if offer.model == model)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Row):
    source: str
    as_of: Day


class _Known(_Row, Generic[T]):
    value: T
    origin: str = Field(alias="from")


class _NotKnown(_Row):
    unknown: str


_MISSING = _NotKnown(unknown=NOT_READ)


class _Licence(_Row):
    id: str
    revision: str
    acceptable_use: str = ""
    origin: str = Field(alias="from")


class _Weights(_Row):
    name: str
    format: Literal["gguf", "transformers", "none"]
    kind: Literal["package", "hub", "path"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: int
    packages: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    repository: str = ""
    revision: str = ""
    requantise: str = ""
    origin: str = Field(alias="from")


class _Score(_Row):
    benchmark: str
    value: float
    unit: str
    self_reported: bool
    origin: str = Field(alias="from")


class _Model(_Row):
    id: Annotated[str, Field(pattern=r"^[a-z0-9._-]+$")]
    name: str
    family: str
    vendor: str
    openness: Openness
    kinds: tuple[Kind, ...]
    ways: tuple[Way, ...]
    chat: bool
    licence: _Licence | _NotKnown
    parameters: _Known[int] | _NotKnown = _MISSING
    parameters_active: _Known[int] | _NotKnown = _MISSING
    context_tokens: _Known[int] | _NotKnown = _MISSING
    languages: _Known[tuple[str, ...]] | _NotKnown = _MISSING
    released: _Known[Day] | _NotKnown = _MISSING
    retired: _Known[str] | _NotKnown = _MISSING
    modalities: tuple[str, ...] = ("text",)
    bases: tuple[str, ...] = ()
    revision: str = ""
    repository: str = ""
    weights: tuple[_Weights, ...] = ()
    public_scores: tuple[_Score, ...] = ()
    reasoning: bool = False


class _Price(_Row):
    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    cached_input_usd_per_million: Decimal | None = None
    valid_from: Day
    valid_to: Day | Literal[""] = ""
    origin: str = Field(alias="from")


class _Offer(_Row):
    route: str
    model: str
    vendor: str
    served_as: str
    base_url: str
    key_env: str
    prices: tuple[_Price, ...] = ()
    regions: _Known[tuple[str, ...]] | _NotKnown = _MISSING
    retention: _Known[str] | _NotKnown = _MISSING
    trains_on_inputs: _Known[bool] | _NotKnown = _MISSING


class _File(_Row):
    sources: dict[str, _Source] = {}
    models: tuple[_Model, ...] = ()
    offers: tuple[_Offer, ...] = ()


class _Reader:
    """One file's rows to nouns; names of sources that do not exist become problems."""

    def __init__(self, file: _File, where: str) -> None:
        self.file = file
        self.where = where
        self.problems: list[Problem] = []

    def source(self, name: str) -> _Source:
        """The source called `name`; where there is none, a problem is noted and a blank one stands in."""
        if name in self.file.sources:
            return self.file.sources[name]
        self.problems.append(_problem(self.where, f"no source is called {name!r}", ", ".join(self.file.sources)))
        return _Source(source="", as_of="0001-01-01")

    def fact(self, row: _Known[T] | _NotKnown) -> Fact[T]:
        if isinstance(row, _NotKnown):
            return Unknown(row.unknown)
        origin = self.source(row.origin)
        return Sourced(row.value, origin.source, origin.as_of)

    def tokens(self, row: _Known[int] | _NotKnown) -> Fact[Tokens]:
        fact = self.fact(row)
        return fact if isinstance(fact, Unknown) else Sourced(Tokens(fact.value), fact.source, fact.as_of)

    def licence(self, row: _Licence | _NotKnown) -> Sourced[LicenceRef] | Unknown:
        if isinstance(row, _NotKnown):
            return Unknown(row.unknown)
        origin = self.source(row.origin)
        return Sourced(LicenceRef(row.id, row.revision, row.acceptable_use), origin.source, origin.as_of)

    def weights(self, row: _Weights) -> Weights:
        origin = self.source(row.origin)
        values = row.model_dump(exclude={"origin", "size_bytes"})
        return Weights(**values, size_bytes=Bytes(row.size_bytes), source=origin.source, as_of=origin.as_of)

    def score(self, row: _Score) -> PublicScore:
        origin = self.source(row.origin)
        return PublicScore(**row.model_dump(exclude={"origin"}), source=origin.source, as_of=origin.as_of)

    def price(self, row: _Price) -> Price:
        origin = self.source(row.origin)
        return Price(**row.model_dump(exclude={"origin"}), source=origin.source, as_of=origin.as_of)

    def model(self, row: _Model) -> Model:
        return Model(
            id=row.id,
            name=row.name,
            family=row.family,
            vendor=row.vendor,
            openness=row.openness,
            kinds=row.kinds,
            licence=self.licence(row.licence),
            ways=row.ways,
            chat=row.chat,
            reasoning=row.reasoning,
            parameters=self.fact(row.parameters),
            parameters_active=self.fact(row.parameters_active),
            context_tokens=self.tokens(row.context_tokens),
            languages=self.fact(row.languages),
            released=self.fact(row.released),
            retired=self.fact(row.retired),
            modalities=row.modalities,
            bases=row.bases,
            revision=row.revision,
            repository=row.repository,
            weights=tuple(self.weights(weights) for weights in row.weights),
            public_scores=tuple(self.score(score) for score in row.public_scores),
        )

    def offer(self, row: _Offer) -> Offer:
        return Offer(
            route=row.route,
            model=row.model,
            vendor=row.vendor,
            served_as=row.served_as,
            base_url=row.base_url,
            key_env=row.key_env,
            prices=tuple(self.price(price) for price in row.prices),
            regions=self.fact(row.regions),
            retention=self.fact(row.retention),
            trains_on_inputs=self.fact(row.trains_on_inputs),
        )


@cache
def load_catalogue() -> Catalogue:
    """The facts that ship with Steelyard and those of installed "facts" plug-ins (each a path of TOML files)."""
    folders = [Path(str(files("steelyard.catalogue") / "facts"))]
    folders += [Path(str(plugins.find("facts", name))) for name in plugins.names("facts")]
    return read_catalogue(path for folder in folders for path in sorted(folder.glob("*.toml")))


def read_catalogue(paths: Iterator[Path] | list[Path]) -> Catalogue:
    """The catalogue of these files. InputError with every mistake of every file."""
    models: dict[str, Model] = {}
    offers: list[Offer] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            file = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            problems.append(_problem(str(path), str(error)))
            continue
        except ValidationError as error:
            problems += [
                _problem(f"{path}: {'.'.join(str(part) for part in mistake['loc'])}", mistake["msg"])
                for mistake in error.errors()
            ]
            continue
        reader = _Reader(file, str(path))
        for model in map(reader.model, file.models):
            if model.id in models:
                problems.append(_problem(str(path), f"the model {model.id!r} is described twice"))
            models[model.id] = model
        offers += map(reader.offer, file.offers)
        problems += reader.problems
    problems += _dangling(models, offers)
    if problems:
        raise InputError(problems)
    return Catalogue(MappingProxyType(models), tuple(offers))


def _dangling(models: Mapping[str, Model], offers: list[Offer]) -> Iterator[Problem]:
    for model in models.values():
        for base in model.bases:
            if base not in models:
                yield _problem(model.id, f"its base {base!r} is not in the catalogue")
    for offer in offers:
        if offer.model not in models:
            yield _problem(f"{offer.route}:{offer.served_as}", f"offers the model {offer.model!r}, which is not there")


def _problem(where: str, what: str, allowed: str = "") -> Problem:
    return Problem(
        "bad-facts-file", what, where, allowed, "correct the facts file or remove the plug-in that brings it"
    )
