"""Facts files to one catalogue; every mistake of every file is reported, not the first one only.

A file is TOML, or JSON where a script made it. It has `[sources.NAME]` (source, as_of), `[families.NAME]` (what a
family's models have in common), `[[models]]`, `[[offers]]` and `[[aliases]]`. A fact is
`{value = ..., from = "NAME"}` or `{unknown = "reason"}`; a fact that is left out is Unknown("not read").
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import orjson
from pydantic import ValidationError

from steelyard import plugins
from steelyard.catalogue.aliases import Alias, named
from steelyard.catalogue.architecture import NOT_READ
from steelyard.catalogue.model import Model, Offer, Seller
from steelyard.catalogue.reader import Reader, facts_problem
from steelyard.catalogue.rows import FactsFile
from steelyard.errors import InputError, Problem


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All models and offers at hand, one catalogue like no other. Offers of one model stand in their files' order."""

    models: Mapping[str, Model]
    offers: tuple[Offer, ...]
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    sellers: tuple[Seller, ...] = ()

    def model(self, id: str) -> Model | None:
        """The model of that id, Hugging Face repository, or name elsewhere (`ollama:NAME`, `ollama:NAME:TAG`)."""
        return self.models.get(id) or self._by_repository.get(id) or named(self.aliases, self.models, id)

    def offers_of(self, model: str) -> tuple[Offer, ...]:
        """Everything a model is offered for, by model id."""
        return self._by_model.get(model, ())

    def under_terms(self, offer: Offer) -> Offer:
        """The offer, completed by what holds for all of its seller's."""
        maker = self.models[offer.model].vendor if offer.model in self.models else ""
        for seller in self.sellers:
            if seller.vendor == offer.vendor and seller.only_for in ("", maker):
                facts = {one.name: getattr(seller, one.name) for one in fields(seller)[2:]}
                offer = replace(
                    offer, **{name: fact for name, fact in facts.items() if getattr(offer, name) == NOT_READ}
                )
        return offer

    @cached_property
    def _by_repository(self) -> Mapping[str, Model]:
        """The first record of a repository speaks for it."""
        return {model.repository: model for model in reversed(tuple(self.models.values())) if model.repository}

    @cached_property
    def _by_model(self) -> Mapping[str, tuple[Offer, ...]]:
        found: defaultdict[str, list[Offer]] = defaultdict(list)
        for offer in self.offers:
            found[offer.model].append(offer)
        return {model: tuple(offers) for model, offers in found.items()}


@cache
def load_catalogue() -> Catalogue:
    """The facts that ship with Steelyard, and those of installed "facts" plug-ins: each the path of a folder."""
    folders = [Path(str(files("steelyard.catalogue") / "facts"))]
    folders += [Path(str(plugins.find("facts", name))) for name in plugins.names("facts")]
    return read_catalogue(
        path for folder in folders for suffix in ("*.toml", "*.json") for path in sorted(folder.glob(suffix))
    )


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """The catalogue of these files. InputError with every mistake of every file."""
    models: dict[str, Model] = {}
    offers: list[Offer] = []
    aliases: dict[str, Alias] = {}
    sellers: list[Seller] = []
    problems: list[Problem] = []
    for path in paths:
        file = _read(path, problems)
        if file is None:
            continue
        reader = Reader(file, str(path))
        for model in map(reader.model, file.models):
            if model.id in models:
                problems.append(facts_problem(str(path), f"the model {model.id!r} is described twice"))
            models[model.id] = model
        offers += map(reader.offer, file.offers)
        sellers += map(reader.seller, file.sellers)
        aliases |= {alias.name: alias for alias in map(reader.alias, file.aliases)}
        problems += reader.problems
    problems += _dangling(models, offers, aliases)
    if problems:
        raise InputError(problems)
    bare = Catalogue(MappingProxyType(models), (), MappingProxyType(aliases), tuple(sellers))
    return replace(bare, offers=tuple(map(bare.under_terms, offers)))


def _read(path: Path, problems: list[Problem]) -> FactsFile | None:
    """One file's rows; None, and problems, where it is not what it should be."""
    try:
        text = path.read_bytes()
        raw = orjson.loads(text) if path.suffix == ".json" else tomllib.loads(text.decode())
        return FactsFile.model_validate(raw)
    except ValidationError as error:
        problems += [
            facts_problem(f"{path}: {'.'.join(str(part) for part in mistake['loc'])}", mistake["msg"])
            for mistake in error.errors()
        ]
    except ValueError as error:  # bad TOML, bad JSON, not UTF-8
        problems.append(facts_problem(str(path), str(error)))
    return None


def _dangling(models: Mapping[str, Model], offers: list[Offer], aliases: Mapping[str, Alias]) -> Iterator[Problem]:
    for model in models.values():
        for base in model.bases:
            if base not in models:
                yield facts_problem(model.id, f"its base {base!r} is not in the catalogue")
        if model.successor and model.successor not in models:
            yield facts_problem(model.id, f"its successor {model.successor!r} is not in the catalogue")
    for offer in offers:
        if offer.model not in models:
            yield facts_problem(
                f"{offer.route}:{offer.served_as}", f"offers the model {offer.model!r}, which is not there"
            )
    for alias in aliases.values():
        for tag in (alias.default, *alias.tags):
            for name in (tag.model, *tag.bases):
                if name and name not in models:
                    yield facts_problem(alias.name, f"stands for {name!r}, which is not in the catalogue")
