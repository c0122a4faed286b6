"""Countries, and the territories of several countries that terms name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

WORLD = "world"


@cache
def load_territories() -> Mapping[str, tuple[str, ...]]:
    """Name of a territory ("EU") to the ISO 3166 codes of its countries; `WORLD` has every code there is."""
    table = tomllib.loads((files("steelyard.licences") / "territories.toml").read_text("utf-8"))
    return {name: tuple(row["countries"]) for name, row in table.items()}


def is_country(code: str) -> bool:
    """Whether somebody can be established there: "DE" is a country; "EU", "UK" and "XX" are not."""
    return code in load_territories()[WORLD]


@cache
def members(place: str) -> tuple[str, ...]:
    """The countries of a territory, or the one country; () where no such place is known."""
    return load_territories().get(place) or ((place,) if is_country(place) else ())
