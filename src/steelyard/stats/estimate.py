"""Estimate: a value with its interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from steelyard.quantities import Unknown


@dataclass(frozen=True)
class Interval:
    """A two-sided interval at `level` (0.95 is 95 %)."""

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True)
class Estimate:
    """A measured or projected number.

    `interval` is Unknown(reason) where none can be given (n < 2, for example); `n` is the number of
    items behind the value, None where that has no meaning; `method` names how the interval came about;
    `unit` is "share", "seconds", "USD", "requests/s", ...
    """

    value: float
    interval: Interval | Unknown
    n: int | None
    method: str
    unit: str


Estimated: TypeAlias = Estimate | Unknown
