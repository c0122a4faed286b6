"""Names that others give to models: which record they stand for, or which terms bind what they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steelyard.catalogue.architecture import NOT_READ
from steelyard.catalogue.model import Kind, LicenceRef, Model
from steelyard.quantities import Sourced, Unknown


@dataclass(frozen=True)
class Tag:
    """What a tag stands for: a model of the catalogue, or a set of terms that bind together, or nobody knows.

    `match` is the tag or its beginning up to a dash: "3b" is also "3b-instruct-q4_K_M". `bases` are ids of models.
    """

    match: str
    model: str
    licences: tuple[LicenceRef, ...]
    unknown: str
    bases: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("text",)


@dataclass(frozen=True)
class Alias:
    """One name (`ollama:qwen2.5`). `default` holds where no tag says otherwise; it binds by all terms of all tags."""

    name: str
    default: Tag
    tags: tuple[Tag, ...]
    source: str
    as_of: str

    def tag(self, text: str) -> Tag:
        """The closest tag: the longest one that `text` is, or begins with."""
        fits = [tag for tag in self.tags if text == tag.match or text.startswith(f"{tag.match}-")]
        return max(fits, key=lambda tag: len(tag.match), default=self.default)


def named(aliases: Mapping[str, Alias], models: Mapping[str, Model], text: str) -> Model | None:
    """The model that `HOUSE:NAME` or `HOUSE:NAME:TAG` stands for; None where the name is not listed.

    A name of terms only becomes a model of which nothing but its terms is known.
    """
    house, _, rest = text.partition(":")
    name, _, tag_text = rest.partition(":")
    alias = aliases.get(f"{house}:{name.lower()}")
    if alias is None:
        return None
    tag = alias.tag(tag_text.lower())
    if tag.model:
        return models[tag.model]
    terms = [Sourced(licence, alias.source, alias.as_of) for licence in tag.licences]
    first: Sourced[LicenceRef] | Unknown = terms[0] if terms else Unknown(tag.unknown)
    return Model(
        id=text,
        name=rest,
        family="",
        vendor="unknown",
        openness="open",
        kinds=tag.kinds,
        licence=first,
        ways=("self-hosted",),
        chat=True,
        parameters=NOT_READ,
        parameters_active=NOT_READ,
        context_tokens=NOT_READ,
        languages=NOT_READ,
        released=NOT_READ,
        retired=NOT_READ,
        bases=tag.bases,
        further_licences=tuple(terms[1:]),
    )
