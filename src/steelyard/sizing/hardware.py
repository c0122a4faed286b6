"""The nouns of hardware: an accelerator, and what renting it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from steelyard.quantities import Bytes, Fact, Money, Sourced
from steelyard.sizing.layout import Arithmetic

Kind: TypeAlias = Literal["gpu", "cpu", "edge"]
SellerKind: TypeAlias = Literal["hyperscaler", "specialised", "marketplace"]
Term: TypeAlias = Literal["on-demand", "spot", "1-year", "3-year"]


@dataclass(frozen=True)
class Rent:
    """An hour of one accelerator, by kind of seller and term: an anchor, not an offer. `assumed`: read second-hand."""

    usd_per_hour: Sourced[Money]
    seller: SellerKind
    term: Term
    assumed: bool


@dataclass(frozen=True)
class Accelerator:
    """One accelerator, or one computer that runs models on its processor.

    `memory` is what software can reserve of it where that was read, else what is on the box. `flops` are dense, by the
    arithmetic (see `Coding.arithmetic`). Links are bytes a second and accelerator, one direction: inside a node of
    `per_node`, and between nodes. `shared_memory`: the operating system and everything else live in the same memory.
    """

    id: str
    name: str
    maker: str
    kind: Kind
    memory: Fact[Bytes]
    bandwidth: Fact[float]
    flops: Mapping[Arithmetic, Fact[float]]
    watts: Fact[float]
    per_node: int
    intra_node: Fact[float]
    inter_node: Fact[float]
    rents: tuple[Rent, ...]
    purchase: Fact[Money]
    shared_memory: bool = False
    aliases: tuple[str, ...] = ()
