"""When to ask again: dates, volumes and revisions at which the verdict may no longer hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta

from steelyard.costs import Cost, capacity_per_day, replicas_needed
from steelyard.decision.basis import Basis
from steelyard.decision.record import Standing
from steelyard.decision.sentences import counted, edition, percent, read_on, sentence, usd
from steelyard.quantities import Sourced, Unknown
from steelyard.stats import Estimate
from steelyard.usecase import Workload

PRICE_DAYS = 183
"""A price is read again after half a year."""
FAR_AWAY = 100
"""A volume this many times today's is no reason to ask again."""


def recheck_when(basis: Basis) -> tuple[str, ...]:
    """Computed for the winner; empty when there is none."""
    if basis.winner is None:
        return ()
    kinds = (_prices, _volume, _budget, _licence, _withdrawal)
    return tuple(sentence(text) for kind in kinds for text in kind(basis, basis.winner))


def _prices(basis: Basis, winner: Standing) -> Iterator[str]:
    if isinstance(winner.cost, Unknown):
        return
    today = basis.made_at.date()
    what = f"The price of {winner.name}" if winner.cost.replicas is None else "The machine's price"
    read_on = {assumption.as_of for assumption in winner.cost.assumptions if assumption.name.endswith("price")}
    for as_of in sorted(read_on):
        try:
            stale = date.fromisoformat(as_of) + timedelta(days=PRICE_DAYS)
        except ValueError:  # a year alone, or nothing
            yield f"{what} has no exact date ({as_of or 'none'}): read it again now"
            continue
        if stale < today:
            yield f"{what} was read on {as_of}, more than six months ago: read it again now"
        else:
            yield f"{what} was read on {as_of}: read it again by {stale.isoformat()}"


def _volume(basis: Basis, winner: Standing) -> Iterator[str]:
    """The next step of the staircase, and when growth gets there."""
    workload, rate = basis.case.workload, winner.throughput_per_second
    if isinstance(winner.cost, Unknown) or winner.cost.replicas is None:
        return
    if isinstance(workload, Unknown) or isinstance(rate, Unknown):
        return
    limit = capacity_per_day(winner.cost.replicas, rate.value, workload)
    if limit > FAR_AWAY * workload.requests_per_day:
        return
    months = _months_until(limit, workload)
    near = months is not None and months <= workload.horizon_months
    when = f" (in {counted(months or 0, 'month')} at {percent(workload.growth_per_month)} growth)" if near else ""
    yield (
        f"Above {_round(limit):,.0f} requests a day{when} {winner.name} needs more than "
        f"{counted(winner.cost.replicas, 'machine')}"
    )


def _budget(basis: Basis, winner: Standing) -> Iterator[str]:
    """The month in which growth breaks the monthly limit, inside the horizon."""
    workload = basis.case.workload
    if isinstance(workload, Unknown) or isinstance(winner.cost, Unknown) or workload.growth_per_month <= 0:
        return
    for requirement in basis.case.require:
        if requirement.metric != "cost_per_month":
            continue
        for month in range(1, workload.horizon_months + 1):
            amount = _monthly(winner, winner.cost, workload, month)
            if amount is not None and not requirement.passes(amount):
                yield (
                    f"In {counted(month, 'month')} growth takes {winner.name} to {usd(amount)} a month, "
                    f"over the limit of {usd(requirement.limit)}"
                )
                break


def _monthly(winner: Standing, cost: Cost, workload: Workload, month: int) -> float | None:
    grown = workload.requests_per_day * (1 + workload.growth_per_month) ** month
    if not isinstance(cost.per_month, Estimate):
        return None
    if cost.replicas is None:
        return cost.per_month.value * grown / workload.requests_per_day
    rate = winner.throughput_per_second
    if isinstance(rate, Unknown):
        return None
    return cost.per_month.value / cost.replicas * replicas_needed(grown, rate.value, workload)


def _licence(basis: Basis, winner: Standing) -> Iterator[str]:
    licence = winner.licence
    if winner.is_language_model and (licence.revision or licence.as_of):
        name = licence.licence_name or licence.licence_id
        basis_read = ", ".join(text for text in (name, edition(name, licence.revision), read_on(licence)) if text)
        yield f"When the terms of {winner.name} change: this verdict rests on {basis_read}"
    for limit in licence.thresholds:
        if limit.crossed_in:
            where = f"{limit.licence} {limit.section}"
            yield f"In {limit.crossed_in} a limit of the licence is passed ({where}): {limit.text}"


def _withdrawal(basis: Basis, winner: Standing) -> Iterator[str]:
    retired = basis.evidence[winner.candidate].candidate.model.retired
    if isinstance(retired, Sourced):
        yield f"On {retired.value} the vendor withdraws {winner.name} ({retired.source}): choose again before"


def _round(number: float) -> float:
    """Down to two significant digits: the rate behind it is not known better."""
    step = 10.0 ** (math.floor(math.log10(number)) - 1) if number >= 100 else 1.0
    return math.floor(number / step) * step


def _months_until(limit: float, workload: Workload) -> int | None:
    if workload.growth_per_month <= 0 or workload.requests_per_day <= 0:
        return None
    return max(0, math.ceil(math.log(limit / workload.requests_per_day) / math.log1p(workload.growth_per_month)))
