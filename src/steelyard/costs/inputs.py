"""The numbers a projection rests on: each with its range, unit, source and date; drawn, or put in another's place."""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Number: TypeAlias = float | NDArray[np.float64]
else:
    Number: TypeAlias = float
"""A number, or an array of shape (worlds, months), (worlds, 1) or (1, months)."""

Shape: TypeAlias = Literal["triangular", "log-normal"]
ASSUMED = "planning assumption of this tool"
"""How the source of a number begins that nobody read anywhere."""
Z90 = 1.6448536269514722
"""Of a log-normal range, `low`, `value` and `high` are the 5th, 50th and 95th percentile: two halves where skewed."""


@dataclass(frozen=True)
class Input:
    """One number with its range. A triangular range ends at `low` and `high`; a log-normal one has 90 % between them.

    `own`: it belongs to one candidate (its rate, its tokens), so it varies apart from those of the others.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    as_of: str
    shape: Shape = "triangular"
    about: str = ""
    own: str = ""

    def at(self, uniform: Number) -> Number:
        """The quantile of the range: `uniform` lies between 0 and 1."""
        import numpy as np

        if self.low == self.high:
            return self.value
        if self.shape == "log-normal":
            from scipy.special import ndtri

            z = ndtri(uniform)
            spread = np.where(z < 0, math.log(self.value / self.low), math.log(self.high / self.value)) / Z90
            factor: Number = np.exp(spread * z)
            return self.value * factor
        width, rise = self.high - self.low, self.value - self.low
        below = np.asarray(uniform) < rise / width
        up = self.low + np.sqrt(np.asarray(uniform) * width * rise)
        down = self.high - np.sqrt((1 - np.asarray(uniform)) * width * (self.high - self.value))
        return np.where(below, up, down)


@dataclass(frozen=True)
class Inputs:
    """All inputs of one plan by name. `used` are values in force in place of the inputs' own."""

    facts: Mapping[str, Input]
    used: Mapping[str, Number] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Number:
        used = self.used.get(name)
        return self.facts[name].value if used is None else used

    def using(self, values: Mapping[str, Number]) -> Inputs:
        """The same with some values replaced; an array over months makes an event of it."""
        unheard = values.keys() - self.facts.keys()
        if unheard:
            raise KeyError(f"no input is called {', '.join(sorted(unheard))}")
        return replace(self, used={**self.used, **values})

    def with_facts(self, facts: Iterable[Input]) -> Inputs:
        """The same with these inputs in the place of those that have their names, or added."""
        return replace(self, facts={**self.facts, **{fact.name: fact for fact in facts}})

    def drawn(self, seed: int, worlds: int) -> Inputs:
        """Every input with a range drawn `worlds` times, as a column; a replaced value stays.

        An input that is not a candidate's own is the same in every plan's world number i: plans are compared in the
        same worlds. Draws are stratified: each of `worlds` equal parts of the range is hit once.
        """
        import numpy as np

        drawn: dict[str, Number] = {}
        for name, fact in self.facts.items():
            if name not in self.used and fact.low != fact.high:
                generator = np.random.default_rng([seed, zlib.crc32(f"{fact.own}/{name}".encode())])
                uniform = (generator.permutation(worlds) + generator.random(worlds)) / worlds
                drawn[name] = fact.at(np.clip(uniform, 1e-12, 1 - 1e-12)[:, None])
        return replace(self, used={**drawn, **self.used})


@cache
def default_inputs() -> Inputs:
    """The inputs that ship with Steelyard (inputs.toml)."""
    text = files("steelyard.costs").joinpath("inputs.toml").read_text("utf-8")
    return Inputs({name: _input(name, row) for name, row in tomllib.loads(text).items()})


def _input(name: str, row: Mapping[str, str | float]) -> Input:
    value = float(row["value"])
    return Input(
        name=name,
        value=value,
        low=float(row.get("low", value)),
        high=float(row.get("high", value)),
        unit=str(row["unit"]),
        source=str(row["source"]),
        as_of=str(row["as_of"]),
        shape="log-normal" if row.get("shape") == "log-normal" else "triangular",
        about=str(row.get("about", "")),
    )
