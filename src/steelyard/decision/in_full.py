"""The verdict with the whole cost beside the bill. Gates and preferences look at the bill: it is what is known."""

from __future__ import annotations

from dataclasses import replace

from steelyard.costs.inputs import ASSUMED
from steelyard.costs.outlook import CostOutlook, PlanCost
from steelyard.decision.record import Decision
from steelyard.decision.sentences import percent, sentence, usd
from steelyard.quantities import Unknown


def with_costs(decision: Decision, costs: CostOutlook | Unknown) -> Decision:
    """The decision with its costs, and what the winner costs in full in the verdict."""
    found = replace(decision, costs=costs)
    if isinstance(costs, Unknown) or not decision.winner:
        return found
    plan = next((plan for plan in costs.plans if plan.candidate == decision.winner), None)
    return found if plan is None else replace(found, verdict=f"{found.verdict} {sentence(_in_full(costs, plan))}")


def _in_full(costs: CostOutlook, plan: PlanCost) -> str:
    least = f"at least, without {', '.join(plan.unknown)}, " if plan.unknown else ""
    assumed = sum(line.month_usd for line in plan.lines if _assumed(costs, line.inputs))
    share = percent(round(assumed / plan.month_usd, 2)) if plan.month_usd > 0 else "0 %"
    return (
        f"That is the bill; in full, with people and all that no price list shows, it is {least}{usd(plan.month_usd)} "
        f"a month and {usd(plan.once_usd)} once, {share} of the month on lines that rest on planning assumptions: "
        "see `steelyard cost`"
    )


def _assumed(costs: CostOutlook, keys: tuple[str, ...]) -> bool:
    """The amount of the line, not only its growth or range, rests on a number that nobody has read or measured."""
    return any(costs.inputs[key].source.startswith(ASSUMED) for key in keys if not key.endswith("_change_per_year"))
