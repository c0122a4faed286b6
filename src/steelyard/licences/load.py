"""Licences from the TOML files in `terms/`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from steelyard.catalogue.model import Way
from steelyard.errors import InputError, Problem
from steelyard.licences.clauses import Clause, Condition, Effect, Licence, Modality, OrganisationKind, Policy, Read
from steelyard.licences.territories import members
from steelyard.licences.worlds import fits
from steelyard.quantities import Unknown
from steelyard.usecase.case import Already, Distribute, OutputsTrain, Purpose, Role

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Revision(_Row):
    id: str
    published: Day | Literal[""] = ""
    also_called: tuple[str, ...] = ()


class _Policy(_Row):
    name: str
    read: Read
    source: str
    as_of: Day


def _question(text: str) -> str:
    """`{field}` is the one thing that is filled in."""
    if re.search(r"[{}]", text.replace("{field}", "")):
        raise ValueError("only {field} may stand in braces")
    return text


def _place(name: str) -> str:
    if not members(name):
        raise ValueError(f"{name!r} is neither the ISO 3166 code of a country nor a territory")
    return name


Place = Annotated[str, AfterValidator(_place)]


class _When(_Row):
    """The keys of a condition, one for one; an unknown key must not pass as no condition."""

    purpose: tuple[Purpose, ...] = ()
    commercial: bool | None = None
    distribute: tuple[Distribute, ...] = ()
    outputs_train: tuple[OutputsTrain, ...] = ()
    role: tuple[Role, ...] = ()
    kind: tuple[OrganisationKind, ...] = ()
    domicile: tuple[Place, ...] = ()
    users_in: tuple[Place, ...] = ()
    modality: tuple[Modality, ...] = ()
    recipe: tuple[str, ...] = ()
    tuned: bool | None = None
    way: tuple[Way, ...] = ()
    field: tuple[str, ...] = ()
    qualified_non_profit: bool | None = None
    monthly_active_over: int | None = None
    monthly_active_on: Day | Literal[""] = ""
    product_monthly_active_over: int | None = None
    annual_revenue_over_usd: int | None = None
    monthly_revenue_over_usd: int | None = None
    product_monthly_revenue_over_usd: int | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if (self.monthly_active_over is None) != (self.monthly_active_on == ""):
            raise ValueError("monthly_active_over and monthly_active_on go together")
        return self


class _Clause(_Row):
    section: str
    effect: Effect
    text: str
    when: _When = _When()
    unless: _When = _When()
    in_doubt: Literal["conditional", "unknown"] = "conditional"
    lifted_by: tuple[Already, ...] = ()
    duty: str = ""
    question: Annotated[str, AfterValidator(_question)] = ""
    quote: Annotated[str, Field(max_length=80)] = ""
    document: str = ""
    only: tuple[str, ...] = ()


class _Terms(_Row):
    id: Annotated[str, Field(pattern=r"^[a-z0-9.+-]+$")]
    name: str
    steward: str
    read: Read
    source: str
    as_of: Day
    revisions: tuple[_Revision, ...]
    also_called: tuple[str, ...] = ()
    policies: tuple[_Policy, ...] = ()
    also_not_read: tuple[str, ...] = ()
    clauses: tuple[_Clause, ...] = ()


@dataclass(frozen=True)
class Licences:
    """All licences at hand: id to revisions, the newest last. `names`: every name (lower case) to id and revision."""

    by_id: Mapping[str, tuple[Licence, ...]]
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def get(self, id: str, revision: str = "", at: date | None = None) -> Licence | Unknown:
        """The terms at a revision; without one the newest, on the day `at` if given, that is encoded.

        Any name will do that the terms go by; a name of one revision ("gemma-2024-02-21") stands for it.
        """
        found, named = (id, "") if id in self.by_id else self.names.get(_plain(id), (id, ""))
        if found not in self.by_id:
            return Unknown(f"the terms {id} are not encoded here")
        terms = self.by_id[found]
        revision = revision or named
        if not revision:
            there = [licence for licence in terms if at is None or licence.published <= at.isoformat()]
            return (there or terms)[-1 if there else 0]
        for licence in terms:
            if licence.revision == revision:
                return licence
        return Unknown(f"revision {revision} of {id} is not encoded here")


def _plain(name: str) -> str:
    return name.casefold().removeprefix("licenseref-")


@cache
def load_licences() -> Licences:
    """The terms that ship with Steelyard."""
    folder = Path(str(files("steelyard.licences") / "terms"))
    return read_licences(sorted(folder.glob("*.toml")))


def read_licences(paths: list[Path]) -> Licences:
    """The licences of these files. InputError with every mistake of every file."""
    found: dict[str, tuple[Licence, ...]] = {}
    names: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            terms = _Terms.model_validate(tomllib.loads(path.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            problems.append(_problem(str(path), str(error)))
            continue
        except ValidationError as error:
            problems += [
                _problem(f"{path}: {'.'.join(str(part) for part in mistake['loc'])}", mistake["msg"])
                for mistake in error.errors()
            ]
            continue
        found[terms.id] = tuple(_licence(terms, revision) for revision in terms.revisions)
        if not all(map(fits, found[terms.id])):
            problems.append(_problem(str(path), "its conditions ask for more than can be judged together"))
        for name, meant in _names(terms):
            if names.setdefault(name, meant) != meant:
                problems.append(_problem(str(path), f"{name!r} is a name of {names[name][0]} already"))
    if problems:
        raise InputError(problems)
    return Licences(MappingProxyType(found), MappingProxyType(names))


def _names(terms: _Terms) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every name of the terms with the id and, where it is one revision's, the revision."""
    for name in (terms.id, *terms.also_called):
        yield _plain(name), (terms.id, "")
    for revision in terms.revisions:
        for name in revision.also_called:
            yield _plain(name), (terms.id, revision.id)


def _licence(terms: _Terms, revision: _Revision) -> Licence:
    return Licence(
        id=terms.id,
        name=terms.name,
        steward=terms.steward,
        revision=revision.id,
        published=revision.published,
        read=terms.read,
        source=terms.source,
        as_of=terms.as_of,
        clauses=tuple(_clause(clause) for clause in terms.clauses if not clause.only or revision.id in clause.only),
        policies=tuple(Policy(**policy.model_dump()) for policy in terms.policies),
        also_not_read=terms.also_not_read,
    )


def _clause(row: _Clause) -> Clause:
    values = row.model_dump(exclude={"when", "unless", "only"})
    return Clause(**values, when=_condition(row.when), unless=_condition(row.unless))


def _condition(row: _When) -> Condition:
    """Names of territories ("EU") stand for the codes of their countries."""
    return Condition(
        **row.model_dump(exclude={"domicile", "users_in", "field"}),
        domicile=tuple(code for place in row.domicile for code in members(place)),
        users_in=tuple(code for place in row.users_in for code in members(place)),
        field=tuple(slug.casefold() for slug in row.field),
    )


def _problem(where: str, what: str) -> Problem:
    return Problem("bad-licence-file", what, where, next_step="correct the file")
