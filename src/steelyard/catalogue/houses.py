"""Who is meant by a provider's name: whole words of it, another name that is known, and what the house makes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import TypeAlias

from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Model, Offer

Words: TypeAlias = tuple[str, ...]
_WORD = re.compile(r"[^\W\d_]+|\d+")


@lru_cache(maxsize=10_000)
def words(text: str) -> Words:
    """Letters and numbers by themselves: "Qwen2.5" is qwen, 2, 5."""
    return tuple(_WORD.findall(text.casefold()))


def makes(model: Model, asked: Words) -> bool:
    """Its maker, its family or name, or both in this order: "Microsoft", "Phi", "Microsoft Phi"."""
    return any(_is_house(model.vendor, first) and _is_called(model, rest) for first, rest in _splits(asked))


def sells(offer: Offer, model: Model, asked: Words) -> bool:
    """Its seller, alone or with what it sells: "Azure", "Azure OpenAI", "AWS Bedrock Titan"."""
    if "".join(asked) == "".join(words(offer.route)):
        return True
    return any(
        first and _is_house(offer.vendor, first) and (not rest or makes(model, rest)) for first, rest in _splits(asked)
    )


def names_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Names of makers, families and sellers, and the others they go by."""
    names = {name for model in catalogue.models.values() for name in (model.vendor, model.family)}
    names |= {offer.vendor for offer in catalogue.offers}
    return tuple(sorted(names | {other for others in _also().values() for other in others}))


def _splits(asked: Words) -> Iterator[tuple[Words, Words]]:
    return ((asked[:at], asked[at:]) for at in range(len(asked) + 1)) if asked else iter(())


@lru_cache(maxsize=10_000)
def _is_house(name: str, asked: Words) -> bool:
    return not asked or "".join(asked) in _parts(name)


def _is_called(model: Model, asked: Words) -> bool:
    return not asked or "".join(asked) in _starts(model.family) | _starts(model.name)


@cache
def _parts(name: str) -> frozenset[str]:
    """Every row of whole words of the name, written together; of another name all of it."""
    spelt = words(name)
    rows = (spelt[start:end] for start in range(len(spelt)) for end in range(start + 1, 1 + len(spelt)))
    return frozenset(map("".join, rows)) | _others(name)


@cache
def _starts(name: str) -> frozenset[str]:
    spelt = words(name)
    return frozenset("".join(spelt[:end]) for end in range(1, 1 + len(spelt))) | _others(name)


def _others(name: str) -> frozenset[str]:
    return frozenset("".join(words(one)) for one in _also().get(name, ()))


@cache
def _also() -> Mapping[str, tuple[str, ...]]:
    rows = tomllib.loads(files("steelyard.catalogue").joinpath("houses.toml").read_text(encoding="utf-8"))["names"]
    return {row["name"]: tuple(row["also"]) for row in rows}
