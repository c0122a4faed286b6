"""The limits that terms draw: what is counted, how much is left, and when the stated growth uses it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import ceil, log

from steelyard.licences.clauses import Clause, Licence
from steelyard.licences.facts import Facts
from steelyard.licences.parts import COUNTED, Part, stated_count
from steelyard.licences.verdict import Threshold
from steelyard.licences.worlds import Laid, Worlds

FAR = 600
"""Months beyond which nobody plans."""


def thresholds_of(licence: Licence, laid: Laid, worlds: Worlds, facts: Facts, at: date) -> tuple[Threshold, ...]:
    """Every limit of a clause that would bite this use above it."""
    return tuple(dict.fromkeys(_thresholds(licence, laid, worlds, facts, at)))


def _thresholds(licence: Licence, laid: Laid, worlds: Worlds, facts: Facts, at: date) -> Iterator[Threshold]:
    limits = [number for number, part in enumerate(laid.parts) if part.asks in COUNTED]
    for bite in laid.bites if limits else ():
        for number in limits:
            mentioned = number in bite.when or number in bite.unless
            if mentioned and worlds.bitten(bite, without=number):
                yield _threshold(licence, bite.clause, laid.parts[number], facts, at)


def _threshold(licence: Licence, clause: Clause, part: Part, facts: Facts, at: date) -> Threshold:
    assert isinstance(part.wanted, int)
    limit, value = part.wanted, stated_count(part.asks, part.day, facts)
    counted = COUNTED[part.asks] + (f" in the month before {part.day}" if part.day else "")
    months = None if value is None or part.day else _months(value, limit, facts.growth_per_month)
    says = f"{counted}: limit {limit:,}"
    if value is None:
        says += ", not said"
    elif value > limit:
        says += f", {value:,} is above it"
    else:
        says += f", {value:,} leaves {limit - value:,} ({(limit - value) / limit:.0%})"
    growth = f"at {facts.growth_per_month * 100:.3g} % a month"
    if months is not None:
        says += f"; {growth} you pass it in month {months} ({_month(at, months)})"
    elif part.day and facts.users_product is not None:
        months = _months(facts.users_product, limit, facts.growth_per_month)
        if months is not None:
            says += (
                f"; counted once, growth does not change it, but {growth} the product's users of today pass it in "
                f"month {months} ({_month(at, months)}), which a version released after that would count"
            )
    return Threshold(
        text=says,
        licence=licence.name,
        section=clause.section,
        effect=clause.effect,
        counted=counted,
        limit=limit,
        value=value,
        headroom=None if value is None else limit - value,
        crossed_in_months=months,
        crossed_in=_month(at, months) if months is not None else "",
        licence_id=licence.id,
    )


def _months(value: int, limit: int, growth: float) -> int | None:
    """The first month whose number is above the limit; None where it already is, or never within FAR months."""
    if value > limit or value <= 0 or growth <= 0:
        return None
    months = max(1, ceil(log(limit / value) / log(1 + growth)))
    while value * (1 + growth) ** months <= limit:
        months += 1
    return months if months <= FAR else None


def _month(at: date, months: int) -> str:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return f"{year:04}-{month + 1:02}"
