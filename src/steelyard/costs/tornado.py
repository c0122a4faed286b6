"""One input at a time, from the low to the high end of its range: what moves the answer, and what turns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from steelyard.costs.inputs import Input
from steelyard.costs.model import Plan
from steelyard.costs.volume import Demand, month_costs


@dataclass(frozen=True)
class End:
    """One end of an input's range: what the choice costs over the horizon, its lead, and who is the cheapest there.

    `lead_usd` is what the best other plan costs more than the choice; below zero the other one wins.
    """

    value: float
    usd: float
    lead_usd: float
    winner: str


@dataclass(frozen=True)
class Bar:
    """Both ends of one input; `own` names the candidate whose input it is, "" for one that all share."""

    input: str
    own: str
    unit: str
    low: End
    high: End

    @property
    def swing(self) -> float:
        """How far the lead moves from end to end."""
        return abs(self.high.lead_usd - self.low.lead_usd)

    def turns(self, winner: str) -> bool:
        """Whether somebody else wins at one of the ends."""
        return winner not in (self.low.winner, self.high.winner) or self.low.winner != self.high.winner


def tornado(plans: Sequence[Plan], demand: Demand, choice: str) -> tuple[Bar, ...]:
    """A bar for every input with a range, the widest first; those that move nothing at all are last."""
    ranged: dict[tuple[str, str], Input] = {}
    for plan in plans:
        for name, fact in plan.inputs.facts.items():
            if fact.low != fact.high and name not in plan.inputs.used:
                ranged.setdefault((name, fact.own), fact)
    bars = (
        Bar(
            fact.name,
            fact.own,
            fact.unit,
            _end(plans, demand, choice, fact, fact.low),
            _end(plans, demand, choice, fact, fact.high),
        )
        for fact in ranged.values()
    )
    return tuple(sorted(bars, key=lambda bar: (-bar.swing, -abs(bar.high.usd - bar.low.usd), bar.input, bar.own)))


def end_at_base(plans: Sequence[Plan], demand: Demand, choice: str) -> End:
    """The same figures with every input at its own value."""
    return _measured(plans, demand, choice, 0.0)


def _end(plans: Sequence[Plan], demand: Demand, choice: str, fact: Input, value: float) -> End:
    moved = [
        replace(plan, inputs=plan.inputs.using({fact.name: value}))
        if fact.name in plan.inputs.facts and plan.inputs.facts[fact.name].own == fact.own
        else plan
        for plan in plans
    ]
    return _measured(moved, demand, choice, value)


def _measured(plans: Sequence[Plan], demand: Demand, choice: str, value: float) -> End:
    totals = {plan.candidate: float(month_costs(plan, plan.inputs, demand).sum()) for plan in plans}
    others = [usd for name, usd in totals.items() if name != choice]
    lead = min(others) - totals[choice] if others else 0.0
    return End(value, totals[choice], lead, min(totals, key=lambda name: totals[name]))
