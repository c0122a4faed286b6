"""How known checkpoints are written: the precision they are published in, and the groups they leave at 16 bits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from steelyard.sizing.layout import Precision, codings
from steelyard.sizing.tensors import GROUPS, Group

ALWAYS_KEPT: tuple[Group, ...] = ("embedding", "head", "router", "norms")


@dataclass(frozen=True)
class Checkpoint:
    """One published form of the models called one of `exactly` or whose ids begin with one of `models`.

    `original`: the maker publishes it so, and no 16-bit form. `kept` groups stay at 16 bits.
    """

    models: tuple[str, ...]
    exactly: tuple[str, ...]
    precision: Precision
    original: bool
    kept: tuple[Group, ...]
    source: str
    as_of: str


def published_precision(model_id: str) -> Precision:
    """That of the maker's own checkpoint: 16 bits unless another is known."""
    for one in _checkpoints():
        if one.original and _is_of(model_id, one):
            return one.precision
    return "bf16"


def bytes_by_group(model_id: str, precision: Precision, tower: bool = False) -> Mapping[Group, float]:
    """Bytes a parameter of every group. With a `tower`, what lies beyond the network stays at 16 bits."""
    coding = codings()[precision]
    if coding.whole:
        return dict.fromkeys(GROUPS, coding.bytes)
    kept = set(ALWAYS_KEPT) | ({"other"} if tower else set())
    for one in _checkpoints():
        if one.precision == precision and _is_of(model_id, one):
            kept |= set(one.kept)
    return {group: 2.0 if group in kept else coding.bytes for group in GROUPS}


def _is_of(model_id: str, one: Checkpoint) -> bool:
    return model_id in one.exactly or model_id.startswith(one.models)


@cache
def _checkpoints() -> tuple[Checkpoint, ...]:
    raw = tomllib.loads(files("steelyard.sizing").joinpath("checkpoints.toml").read_text("utf-8"))
    return tuple(
        Checkpoint(
            models=tuple(row["models"]),
            exactly=tuple(row.get("exactly", ())),
            precision=row["precision"],
            original=row["original"],
            kept=tuple(row["kept"]),
            source=raw["sources"][row["from"]]["source"],
            as_of=raw["sources"][row["from"]]["as_of"],
        )
        for row in raw["checkpoint"]
    )
