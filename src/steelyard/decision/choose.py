"""Among those that passed every gate: the winner by the study's preference, one criterion after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from steelyard.catalogue import Candidate
from steelyard.costs import Cost
from steelyard.decision.record import Standing
from steelyard.decision.sentences import listed, percent, seconds, sentence, too_late, usd
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated
from steelyard.usecase.case import Criterion

CLOSE = 1.05
"""Costs and latencies within 5 % of the lowest count as equal: both rest on one run and on list prices."""


@dataclass(frozen=True)
class Contender:
    """A line of the decision together with the candidate it is about."""

    line: Standing
    candidate: Candidate


@dataclass(frozen=True)
class Choice:
    """The winner, and one sentence for every criterion that narrowed the field."""

    winner: Contender
    reasons: tuple[str, ...]


def choose(
    contenders: Sequence[Contender], prefer: Mapping[Criterion, float], separable: Callable[[str, str], bool]
) -> Choice:
    """Go through the criteria by falling weight (equal weights: as written); each keeps its best and their ties.

    quality keeps those not separable from the most accurate; cost and speed those within 5 % of the lowest
    (unknown ones drop out when any is known; speed keeps all where this machine was too late to time one); control
    prefers own machines to an API; independence open models and baselines to proprietary ones; time_to_market what
    needs no fitting. What is left after all criteria is settled by accuracy, then cost, then the study's order.
    Weights only order the criteria: a trade of points against dollars would need a rate that nobody has stated.
    """
    left = list(contenders)
    reasons = []
    criteria = [criterion for criterion, weight in sorted(prefer.items(), key=lambda item: -item[1]) if weight > 0]
    for criterion in criteria:
        kept = _keep(criterion, left, separable)
        if criterion == "speed" and len(left) > 1 and (late := _late(left)):
            reasons.append(sentence(f"speed: not compared, because {too_late(late[0].line)}"))
        elif len(kept) < len(left):
            reasons.append(_reason(criterion, kept, [one for one in left if one not in kept]))
        left = kept
    winner = min(left, key=lambda one: (-quality_of(one.line), cost_or_infinite(one.line)))
    if len(left) > 1:
        names = listed([one.line.name for one in left])
        reasons.append(sentence(f"level on {listed(criteria) or 'everything'}: {names}; {_settled(winner, left)}"))
    return Choice(winner, tuple(reasons))


def quality_of(line: Standing) -> float:
    """The accuracy of a measured line; below every share when it has none."""
    return line.quality.value if isinstance(line.quality, Estimate) else -1.0


def cost_of_line(line: Standing) -> Estimated:
    """Cost per month, or per 1,000 requests where no workload is stated."""
    if not isinstance(line.cost, Cost):
        return line.cost
    return line.cost.per_1000 if isinstance(line.cost.per_month, Unknown) else line.cost.per_month


def cost_or_infinite(line: Standing) -> float:
    """For ordering: an unknown cost comes last."""
    return _or_infinite(cost_of_line(line))


def _keep(criterion: Criterion, left: list[Contender], separable: Callable[[str, str], bool]) -> list[Contender]:
    match criterion:
        case "quality":
            best = max(left, key=lambda one: quality_of(one.line))
            return [one for one in left if one is best or not separable(best.line.candidate, one.line.candidate)]
        case "cost":
            return _lowest(left, [cost_or_infinite(one.line) for one in left])
        case "speed":
            return left if _late(left) else _lowest(left, [_or_infinite(one.line.latency_p50) for one in left])
        case "control":
            return _lowest(left, [1 + (one.candidate.way == "api") for one in left])
        case "independence":
            return _lowest(left, [1 + (one.candidate.model.openness == "proprietary") for one in left])
        case "time_to_market":
            return _lowest(left, [1 + (not one.candidate.prompted) for one in left])


def _late(left: Sequence[Contender]) -> list[Contender]:
    return [one for one in left if isinstance(one.line.latency_p50, Estimate) and not one.line.clocked]


def _lowest(left: list[Contender], values: list[float]) -> list[Contender]:
    lowest = min(values)
    return [one for one, value in zip(left, values, strict=True) if value <= lowest * CLOSE]


def _or_infinite(value: Estimated) -> float:
    return value.value if isinstance(value, Estimate) else float("inf")


def _settled(winner: Contender, left: Sequence[Contender]) -> str:
    others = [one for one in left if one is not winner]
    if all(quality_of(one.line) < quality_of(winner.line) for one in others):
        return f"{winner.line.name} was right most often"
    mine = cost_or_infinite(winner.line)
    level = [one for one in others if quality_of(one.line) == quality_of(winner.line)]
    if all(mine < cost_or_infinite(one.line) for one in level):
        return f"{winner.line.name} costs least"
    return f"{winner.line.name} comes first in the study file"


def _reason(criterion: Criterion, kept: Sequence[Contender], dropped: Sequence[Contender]) -> str:
    stays = listed([_with_figure(criterion, one) for one in kept])
    falls = listed([_with_figure(criterion, one) for one in dropped])
    why = {
        "quality": "clearly worse",
        "cost": "more expensive",
        "speed": "slower",
        "control": "run by somebody else",
        "independence": "proprietary",
        "time_to_market": "needing to be fitted first",
    }[criterion]
    return sentence(f"{criterion.replace('_', ' ')}: {stays} {'stay' if len(kept) > 1 else 'stays'}; {why}: {falls}")


def _with_figure(criterion: Criterion, one: Contender) -> str:
    line = one.line
    if criterion == "quality" and isinstance(line.quality, Estimate):
        return f"{line.name} ({percent(line.quality.value)})"
    if criterion == "cost":
        cost = cost_of_line(line)
        return f"{line.name} ({usd(cost.value) if isinstance(cost, Estimate) else 'cost unknown'})"
    if criterion == "speed":
        p50 = line.latency_p50
        return f"{line.name} ({seconds(p50.value) if isinstance(p50, Estimate) else 'latency unknown'})"
    return line.name
