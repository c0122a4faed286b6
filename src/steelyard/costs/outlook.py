"""All that the analysis of costs has to say about one study, as plain values for a record, a page and a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from steelyard.costs.break_even import Span, cheapest, drawn, month_by_month, over_time
from steelyard.costs.hybrid import Split, hybrid
from steelyard.costs.inputs import Input
from steelyard.costs.lines import BY_NAME
from steelyard.costs.model import Plan, monthly
from steelyard.costs.scenarios import Outcome, outcomes
from steelyard.costs.tornado import Bar, tornado
from steelyard.costs.volume import HIGHEST, Demand, over_volume
from steelyard.costs.worlds import SEED, WORLDS, Band, bands, total_band, worlds_of

SCHEMA_VERSION = "1.1"
FAR = 1e9
"""By how much an input is moved to see which lines it moves: far enough that a fleet of one machine grows."""


@dataclass(frozen=True)
class UsedInput:
    """One input behind a line, with range, source and date."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    as_of: str
    about: str


@dataclass(frozen=True)
class LineCost:
    """One line in USD: a month at today's volume, and over the horizon. A one-off is 0 a month.

    `inputs` are keys of the outlook's `inputs`.
    """

    name: str
    group: str
    sticker: bool
    formula: str
    month_usd: float
    horizon_usd: float
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class PlanCost:
    """One plan. `low_usd` and `high_usd` hold 90 % of the worlds' totals; `volume` is its line over requests a day.

    With `unknown` lines (by name, with the reason) all amounts are the least it costs, and it is compared with nobody.
    """

    candidate: str
    way: str
    month_usd: float
    once_usd: float
    horizon_usd: float
    low_usd: float
    high_usd: float
    sticker_usd: float
    lines: tuple[LineCost, ...]
    band: Band
    volume: tuple[tuple[float, float], ...]
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hosted:
    """One candidate's own machines in one way: rented on these terms, or bought ("owned"). USD today and in all.

    `machines` count the spare ones; `machines_usd` is what they take a month, `month_usd` the whole month.
    """

    candidate: str
    machine: str
    tenure: str
    replicas: int
    machines: int
    machines_usd: float
    month_usd: float
    horizon_usd: float


@dataclass(frozen=True)
class BestSplit:
    """Own machines for the base load and an API for the rest: the best number of replicas, and its saving a month."""

    own: str
    api: str
    best: Split
    saves_usd: float


@dataclass(frozen=True)
class CostOutlook:
    """Plans, who is cheapest where and when, what moves that, and what may come. `choice` is today's.

    `inputs` are all inputs behind the lines, each once. `searched_to`: requests a day at which the search over volume
    ended.
    """

    choice: str
    requests_per_day: float
    growth_per_month: float
    months: int
    worlds: int
    plans: tuple[PlanCost, ...]
    without: Mapping[str, str]
    over_volume: tuple[Span, ...]
    month_by_month: tuple[Span, ...]
    over_time: tuple[Span, ...]
    splits: tuple[BestSplit, ...]
    tornado: tuple[Bar, ...]
    scenarios: tuple[Outcome, ...]
    inputs: Mapping[str, UsedInput] = field(default_factory=dict)
    hosted: tuple[Hosted, ...] = ()
    searched_to: float = HIGHEST
    schema_version: str = SCHEMA_VERSION

    def plan(self, candidate: str) -> PlanCost:
        """The costs of one candidate's plan."""
        return next(plan for plan in self.plans if plan.candidate == candidate)

    @property
    def compared(self) -> tuple[PlanCost, ...]:
        """The plans of which no line is unknown; all where every one has such a line."""
        return tuple(plan for plan in self.plans if not plan.unknown) or self.plans


def outlook(
    plans: Sequence[Plan],
    demand: Demand,
    *,
    choice: str = "",
    without: Mapping[str, str] | None = None,
    hosted: tuple[Hosted, ...] = (),
    hours: Sequence[float] = (),
    must_stay: float = 0.0,
) -> CostOutlook:
    """The whole analysis; without a `choice` among the plans it is the cheapest over the horizon.

    Plans with an unknown line are told and not compared. `hours` and `must_stay`: see `hybrid`.
    """
    whole = [plan for plan in plans if not plan.unknown] or list(plans)
    names = [plan.candidate for plan in whole]
    bands_by_name = {band.candidate: band for band in bands(names, worlds_of(whole, demand))}
    stairs = {stair.name: stair for stair in over_volume(whole)}
    totals = [_by_month(plan, demand) for plan in whole]
    if choice not in names:
        choice = names[int(np.argmin([sum(once) + sum(running) for once, running in totals]))]
    known = _Behind()
    told = []
    for plan in plans:
        mine = worlds_of([plan], demand)
        band = bands_by_name.get(plan.candidate) or bands([plan.candidate], mine)[0]
        stair = stairs.get(plan.candidate) or over_volume([plan])[0]
        line = tuple((float(f"{at:.6g}"), float(f"{usd:.6g}")) for at, usd in drawn(stair))
        told.append(_plan_cost(plan, demand, total_band(mine[0]), band, line, known))
    return CostOutlook(
        choice=choice,
        requests_per_day=demand.requests_per_day,
        growth_per_month=demand.growth_per_month,
        months=demand.months,
        worlds=WORLDS,
        plans=tuple(told),
        without=dict(without or {}),
        over_volume=cheapest(list(stairs.values())),
        month_by_month=cheapest([month_by_month(n, t[1]) for n, t in zip(names, totals, strict=True)]),
        over_time=cheapest([over_time(n, *t) for n, t in zip(names, totals, strict=True)]),
        splits=_splits(whole, demand, hours, must_stay),
        tornado=tuple(bar for bar in tornado(whole, demand, choice) if bar.swing or bar.low.usd != bar.high.usd),
        scenarios=outcomes(whole, demand, choice, worlds=WORLDS, seed=SEED),
        inputs=known.inputs,
        hosted=hosted,
        searched_to=min(float(stair.edges[-1]) for stair in stairs.values()),
    )


class _Behind:
    """Inputs by key, each kept once: by name, by candidate and name where it is one's own."""

    def __init__(self) -> None:
        self.inputs: dict[str, UsedInput] = {}

    def keys(self, plan: Plan, used: Sequence[UsedInput]) -> tuple[str, ...]:
        found = []
        for one in used:
            own = plan.inputs.facts[one.name].own
            key = f"{own}/{one.name}" if own else one.name
            if self.inputs.setdefault(key, one) != one:
                key = f"{plan.candidate}/{one.name}"
                self.inputs[key] = one
            found.append(key)
        return tuple(found)


def inputs_behind(plan: Plan, requests_per_day: float) -> dict[str, tuple[UsedInput, ...]]:
    """The inputs that move each line, found by moving each: the list cannot differ from the arithmetic."""

    def usd(values: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        inputs = plan.inputs.using(values)
        now, later = (monthly(plan, inputs, requests_per_day, month) for month in (0.0, 12.0))
        return {line.name: (float(amount), float(later[line.name])) for line, amount in now}

    base = usd({})
    found: dict[str, list[UsedInput]] = {line: [] for line in base}
    for name, fact in plan.inputs.facts.items():
        value = float(plan.inputs[name])
        moved = [usd({name: other}) for other in (value * FAR + 1, value / FAR)]
        for line, amounts in base.items():
            if any(one[line] != amounts for one in moved):
                found[line].append(_used(fact, value))
    return {line: tuple(inputs) for line, inputs in found.items()}


def _used(fact: Input, value: float) -> UsedInput:
    return UsedInput(fact.name, value, fact.low, fact.high, fact.unit, fact.source, fact.as_of, fact.about)


def _by_month(plan: Plan, demand: Demand) -> tuple[list[float], list[float]]:
    """USD at once and running, month by month."""
    lines = monthly(plan, plan.inputs, demand.volumes(plan.inputs), demand.month)
    once = np.broadcast_to(lines.group("one-off"), demand.month.shape)[0]
    total = np.broadcast_to(lines.total, demand.month.shape)[0]
    return [float(x) for x in once], [float(x) for x in total - once]


def _plan_cost(
    plan: Plan,
    demand: Demand,
    ends: tuple[float, float],
    band: Band,
    volume: tuple[tuple[float, float], ...],
    known: _Behind,
) -> PlanCost:
    now = monthly(plan, plan.inputs, float(demand.volumes(plan.inputs)[0, 0]), 0.0)
    path = monthly(plan, plan.inputs, demand.volumes(plan.inputs), demand.month)
    lines, behind = [], inputs_behind(plan, demand.requests_per_day)
    for line, usd in path:
        total = float(np.broadcast_to(usd, demand.month.shape).sum())
        month = 0.0 if line.group == "one-off" else float(now[line.name])
        if total or month:
            used = known.keys(plan, behind[line.name])
            lines.append(LineCost(line.name, line.group, line.sticker, line.formula, month, total, used))
    once = sum(line.horizon_usd for line in lines if line.group == "one-off")
    return PlanCost(
        candidate=plan.candidate,
        way=plan.way,
        month_usd=sum(line.month_usd for line in lines),
        once_usd=once,
        horizon_usd=sum(line.horizon_usd for line in lines),
        low_usd=ends[0],
        high_usd=ends[1],
        sticker_usd=sum(line.horizon_usd for line in lines if BY_NAME[line.name].sticker),
        lines=tuple(lines),
        band=band,
        volume=volume,
        unknown=dict(plan.unknown),
    )


def _splits(plans: Sequence[Plan], demand: Demand, hours: Sequence[float], must_stay: float) -> tuple[BestSplit, ...]:
    found = []
    for own in (plan for plan in plans if plan.way in ("rented", "owned")):
        for api in (plan for plan in plans if plan.way == "api"):
            split = hybrid(own, api, demand.requests_per_day, hours=hours, must_stay=must_stay)
            found.append(BestSplit(own.candidate, api.candidate, split.best, split.saves_usd))
    return tuple(sorted(found, key=lambda one: one.best.usd))
