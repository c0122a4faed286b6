"""Which licences the licence field of a model card, a config or a GGUF file stands for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from steelyard.licences.load import Licences, load_licences
from steelyard.licences.recognise import words_of

NO_NAME = frozenset({"", "other", "unknown", "custom", "proprietary", "none"})
"""Values that say there is a licence, and not which."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Row):
    source: str
    as_of: str


class _Tags(_Row):
    source: str = Field(alias="from")
    names: Mapping[str, tuple[str, ...]]


class _Standards(_Row):
    source: str = Field(alias="from")
    names: tuple[str, ...]


class _File(_Row):
    sources: Mapping[str, _Source]
    tags: tuple[_Tags, ...]
    standards: tuple[_Standards, ...]


@dataclass(frozen=True)
class Tags:
    """Every name of terms, in lower case, and the ids that it may stand for."""

    names: Mapping[str, tuple[str, ...]]

    def licences(self, value: str) -> tuple[str, ...]:
        """The ids that a field's value may stand for; several where it does not tell them apart, none if not known."""
        name = value.strip().casefold().removeprefix("licenseref-")
        return self.names.get(name) or self.names.get(_title(value), ())


@cache
def load_tags() -> Tags:
    """The names that ship with Steelyard: ids and other names of the encoded terms, their titles, and `tags.toml`."""
    return tags_of(load_licences(), files("steelyard.licences").joinpath("tags.toml").read_text("utf-8"))


def tags_of(licences: Licences, table: str) -> Tags:
    """The names of these licences and of a table in TOML."""
    read = _File.model_validate(tomllib.loads(table))
    names: dict[str, tuple[str, ...]] = {name: (name,) for row in read.standards for name in row.names}
    names |= {name: ids for row in read.tags for name, ids in row.names.items()}
    names |= {_title(terms[-1].name): (id,) for id, terms in licences.by_id.items()}
    names |= {name: (id,) for name, (id, _) in licences.names.items()}
    return Tags(MappingProxyType({name: ids for name, ids in names.items() if name not in NO_NAME}))


def _title(text: str) -> str:
    """A licence's title without the words that come and go."""
    return " ".join(
        word for word in words_of(text) if word not in ("the", "license", "licence", "agreement", "version")
    )
