"""A cost: its lines, its totals and the assumptions behind them."""

from __future__ import annotations

from dataclasses import dataclass

from steelyard.stats import Estimated


@dataclass(frozen=True)
class CostLine:
    """One component, e.g. "input tokens". `per_1000` and `per_month` are Estimates in USD or Unknown."""

    name: str
    per_1000: Estimated
    per_month: Estimated
    formula: str


@dataclass(frozen=True)
class Assumption:
    """A number the cost rests on, where it comes from, and its date."""

    name: str
    value: str
    source: str
    as_of: str


@dataclass(frozen=True)
class Cost:
    """What a candidate costs. `per_month` is today's workload; `horizon_total` sums growth over the horizon.

    `replicas` is how many machines the peak needs (None for an API).
    """

    way: str
    per_1000: Estimated
    per_month: Estimated
    horizon_total: Estimated
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    replicas: int | None = None
