"""Facts of one's own: `models.toml` beside the study adds to the catalogue and overrides it.

Negotiated prices, private deployments, a signed commercial licence. It has the form of a facts file; of a model or an
offer that is already known only what differs needs to be written. Every fact names the file as its source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from steelyard.catalogue.load import Catalogue, load_catalogue
from steelyard.catalogue.model import Model, Offer
from steelyard.catalogue.reader import Reader
from steelyard.catalogue.rows import FactsFile
from steelyard.catalogue.whole import whole
from steelyard.errors import InputError, Problem

T = TypeVar("T", Model, Offer)
FILE = "models.toml"
NEXT = "correct the file; docs/catalogue.md shows its form"
MODEL_TEXTS = ("name", "family", "vendor", "openness", "kinds", "ways", "chat")
OFFER_TEXTS = ("vendor", "served_as", "base_url", "key_env")


def own_file(study: Path) -> Path:
    """Where the facts of a study's own would stand; `study` is its file or its folder."""
    return (study if study.is_dir() else study.parent) / FILE


def catalogue_for(study: Path | None) -> Catalogue:
    """The shipped catalogue, with the facts of the study's own where it has any. InputError with all their mistakes."""
    catalogue = load_catalogue()
    if study is None or not own_file(study).is_file():
        return catalogue
    return with_own(catalogue, own_file(study))


def with_own(catalogue: Catalogue, path: Path) -> Catalogue:
    """The catalogue as this file completes and overrides it. Own offers come first."""
    catalogue = _behind(catalogue, path)
    raw, file = _read(path, catalogue)
    reader = Reader(file, str(path))
    models = dict(catalogue.models)
    for row, given in zip(file.models, _tables(raw, "models"), strict=True):
        mine = reader.model(row)
        models[row.id] = _over(models.get(row.id), mine, given)
    offers: list[Offer] = []
    for offer_row, given in zip(file.offers, _tables(raw, "offers"), strict=True):
        offer = reader.offer(offer_row)
        offers.append(_over(_known(catalogue, offer.route, offer.model), offer, given))
    problems = [*reader.problems, *_dangling(file, models, path)]
    if problems:
        raise InputError(problems)
    replaced = {(offer.route, offer.model, offer.served_as) for offer in offers}
    kept = [one for one in catalogue.offers if (one.route, one.model, one.served_as) not in replaced]
    joined = replace(catalogue, models=MappingProxyType(models))
    return replace(joined, offers=(*map(joined.under_terms, offers), *kept))


def _behind(catalogue: Catalogue, path: Path) -> Catalogue:
    """With the snapshot, where the file speaks of models or offers that nobody has described by hand."""
    raw = _parsed(path)
    offers = [_known(catalogue, str(row.get("route")), str(row.get("model"))) for row in _tables(raw, "offers")]
    if None not in offers and all(str(row.get("id")) in catalogue.models for row in _tables(raw, "models")):
        return catalogue
    return whole(catalogue)


def _parsed(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except (ValueError, OSError) as error:
        raise InputError(Problem("bad-own-facts", str(error), str(path), "", NEXT)) from None


def _read(path: Path, catalogue: Catalogue) -> tuple[dict[str, object], FactsFile]:
    """The tables as written, and as a facts file in which known rows are completed."""
    raw = _parsed(path)
    full = raw | {
        "sources": {name: _named(source, path) for name, source in _table(raw.get("sources")).items()},
        "models": [_model(row, catalogue) for row in _tables(raw, "models")],
        "offers": [_offer(row, catalogue) for row in _tables(raw, "offers")],
    }
    try:
        return raw, FactsFile.model_validate(full)
    except ValidationError as error:
        raise InputError(
            [
                Problem("bad-own-facts", mistake["msg"], f"{path}: {'.'.join(map(str, mistake['loc']))}", "", NEXT)
                for mistake in error.errors(include_url=False, include_input=False)
            ]
        ) from None


def _named(source: object, path: Path) -> object:
    """The source says which file it was taken from."""
    if isinstance(source, dict) and isinstance(source.get("source"), str):
        return source | {"source": f"{path}: {source['source']}"}
    return source


def _model(row: Mapping[str, object], catalogue: Catalogue) -> dict[str, object]:
    known = catalogue.models.get(str(row.get("id")))
    if known is None:
        return dict(row)
    return {name: getattr(known, name) for name in MODEL_TEXTS} | {"licence": {"unknown": "kept"}} | dict(row)


def _offer(row: Mapping[str, object], catalogue: Catalogue) -> dict[str, object]:
    known = _known(catalogue, str(row.get("route")), str(row.get("model")))
    blank = {"base_url": "", "key_env": "", "served_as": row.get("model", "")}
    return (blank if known is None else {name: getattr(known, name) for name in OFFER_TEXTS}) | dict(row)


def _known(catalogue: Catalogue, route: str, model: str) -> Offer | None:
    return next((offer for offer in catalogue.offers_of(model) if offer.route == route), None)


def _over(known: T | None, mine: T, given: Mapping[str, object]) -> T:
    """What was written, on what is known."""
    if known is None:
        return mine
    names = {one.name for one in fields(mine)} & set(given)
    return replace(known, **{name: getattr(mine, name) for name in names})


def _dangling(file: FactsFile, models: Mapping[str, Model], path: Path) -> list[Problem]:
    missing = [
        (row.id, f"its base {base!r} is neither in the catalogue nor in this file")
        for row in file.models
        for base in row.bases
        if base not in models
    ]
    missing += [
        (f"{row.route}:{row.served_as}", f"offers the model {row.model!r}, which is not there")
        for row in file.offers
        if row.model not in models
    ]
    return [Problem("bad-own-facts", what, f"{path}: {where}", "", NEXT) for where, what in missing]


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _tables(raw: Mapping[str, object], name: str) -> list[dict[str, object]]:
    rows = raw.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(Problem("bad-own-facts", f"{name} is not a list of tables", "", f"[[{name}]]", NEXT))
    return rows
