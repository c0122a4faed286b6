"""How weights are written (precision) and how a model is spread over accelerators (parallel)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias, get_args

from steelyard.errors import InputError, Problem

Precision: TypeAlias = Literal[
    "fp32",
    "bf16",
    "fp16",
    "fp8",
    "fp4",
    "mxfp4",
    "int8",
    "int4",
    "q8_0",
    "q6_k",
    "q5_k_m",
    "q4_k_m",
    "q4_0",
    "q4_1",
    "q2_k",
]
Arithmetic: TypeAlias = Literal["fp32", "bf16", "fp8", "fp4", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class Coding:
    """How one precision writes a number: `bytes` with its scales, and the arithmetic that multiplies it.

    `whole`: the figure is an average over all matrices of a model, embeddings too (GGUF); else the embedding, the
    output head and the router stay at two bytes, as published checkpoints have it.
    """

    id: Precision
    bytes: float
    arithmetic: Arithmetic
    whole: bool
    source: str
    as_of: str


@dataclass(frozen=True)
class Parallel:
    """How many ways the work is split. A copy of the model spans `gpus` accelerators.

    tp: each matrix; pp: the layers; attention_dp: sequences in attention, whose weights are then copied;
    moe_tp and moe_ep: each expert's matrices, and the experts. `moe_tp` x `moe_ep` of 1 means "as the rest is":
    over all of a stage's accelerators.
    """

    tp: int = 1
    pp: int = 1
    attention_dp: int = 1
    moe_tp: int = 1
    moe_ep: int = 1

    def __post_init__(self) -> None:
        if min(self.tp, self.pp, self.attention_dp, self.moe_tp, self.moe_ep) < 1:
            raise ValueError("a split is at least 1")

    @property
    def gpus(self) -> int:
        return self.tp * self.pp * self.attention_dp

    @property
    def expert_ways(self) -> int:
        """Over how many accelerators of a stage the routed experts are spread."""
        stated = self.moe_tp * self.moe_ep
        return stated if stated > 1 else self.tp * self.attention_dp

    def __str__(self) -> str:
        names = {"tp": self.tp, "pp": self.pp, "dp": self.attention_dp, "moe-tp": self.moe_tp, "ep": self.moe_ep}
        return " ".join(f"{name}{count}" for name, count in names.items() if count > 1) or "tp1"


@cache
def codings() -> Mapping[Precision, Coding]:
    """Every precision, by its name."""
    raw = tomllib.loads(files("steelyard.sizing").joinpath("precisions.toml").read_text("utf-8"))
    sources = raw["sources"]
    return {
        row["id"]: Coding(
            id=row["id"],
            bytes=row["bytes"],
            arithmetic=row["arithmetic"],
            whole=row["whole"],
            source=sources[row["from"]]["source"],
            as_of=sources[row["from"]]["as_of"],
        )
        for row in raw["precision"]
    }


def precision(text: str) -> Precision:
    """The precision of that name, however it is spelled (Q4_K_M, nvfp4, bfloat16); InputError otherwise."""
    plain = text.strip().lower().replace("-", "_")
    plain = {"nvfp4": "fp4", "bfloat16": "bf16", "float16": "fp16", "f16": "fp16", "float32": "fp32"}.get(plain, plain)
    plain = {"q6_k_m": "q6_k", "float8": "fp8", "awq": "int4", "gptq": "int4", "f32": "fp32"}.get(plain, plain)
    for known in PRECISIONS:
        if known == plain:
            return known
    raise InputError(
        Problem(
            slug="unknown-precision",
            what=f"no precision is called {text!r}",
            allowed=", ".join(PRECISIONS),
            next_step="name one of these",
        )
    )
