"""The figures of `steelyard cost` as tables; the words are the caller's, the arithmetic is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

from steelyard.costs.break_even import Span
from steelyard.costs.outlook import CostOutlook, LineCost, PlanCost
from steelyard.costs.placement import SAID
from steelyard.costs.volume import HIGHEST, MOST_STEPS
from steelyard.decision.sentences import usd

MOST_SPANS = 40
FEWEST_USD = 0.005


@dataclass(frozen=True)
class Figures:
    """A title and a table of text."""

    title: str
    heads: tuple[str, ...]
    rows: list[list[str]]


def overview(costs: CostOutlook) -> tuple[Figures, ...]:
    """Each plan's cost by group, its total with range, and what the sticker price leaves out."""
    groups = ("usage", "infrastructure", "people", "hidden")
    rows = []
    for plan in costs.plans:
        by_group = {name: sum(line.month_usd for line in plan.lines if line.group == name) for name in groups}
        rows.append(
            [
                plan.candidate,
                *(usd(by_group[name]) for name in groups),
                _at_least(plan, plan.month_usd),
                usd(plan.once_usd),
                _at_least(plan, plan.horizon_usd),
                usd(plan.band.middle[-1]),
                usd(plan.low_usd),
                usd(plan.high_usd),
                "not compared" if plan.unknown else f"{plan.band.p_cheapest:.0%}",
            ]
        )
    over = f"{costs.months} months"
    heads = ("candidate", *groups, "a month", "once", over, "median", "low", "high", "cheapest")
    title = f"USD a month at {costs.requests_per_day:,.0f} requests a day, and over {over}"
    return (Figures(title, heads, rows), *(_left_out(costs, plan.candidate) for plan in costs.plans))


def _at_least(plan: PlanCost, amount: float) -> str:
    return f"{usd(amount)} and more" if plan.unknown else usd(amount)


def _left_out(costs: CostOutlook, candidate: str) -> Figures:
    plan = costs.plan(candidate)
    over = f"{costs.months} months"
    rows = [["sticker price", "", "", usd(plan.sticker_usd)]]
    for group, lines in groupby((line for line in plan.lines if not line.sticker), key=lambda line: line.group):
        for line in lines:
            if abs(line.horizon_usd) >= FEWEST_USD:
                rows.append([line.name, group, usd(line.month_usd), usd(line.horizon_usd)])
    rows += [[name, "", "unknown", "unknown"] for name in plan.unknown]
    rows.append(["in full", "", _at_least(plan, plan.month_usd), _at_least(plan, plan.horizon_usd)])
    return Figures(f"What the sticker price of {candidate} leaves out", ("line", "group", "a month", over), rows)


def break_even(costs: CostOutlook) -> tuple[Figures, ...]:
    """Who is cheapest: by volume, by month, and by all that was spent until then."""

    def by_volume(span: Span) -> list[str]:
        return [f"{span.start:,.0f}", f"{span.end:,.0f}", span.cheapest, "a step" if span.by_step else "lines meet"]

    def by_time(span: Span) -> list[str]:
        return [f"{span.start:.1f}", f"{span.end:.1f}", span.cheapest]

    shown = [by_volume(span) for span in costs.over_volume]
    if shown:
        shown[0][3] = "start"
    if len(shown) > MOST_SPANS:
        left = len(shown) - MOST_SPANS
        shown = [*shown[: MOST_SPANS - 1], ["...", "...", f"({left} more: see --json)", ""], shown[-1]]
    months = ("from month", "to month", "cheapest")
    return (
        Figures("Running cost over requests a day", ("above", "up to", "cheapest", "changes by"), shown),
        Figures("Running cost of each month, with growth", months, [by_time(s) for s in costs.month_by_month]),
        Figures("All that was spent until then, one-offs included", months, [by_time(s) for s in costs.over_time]),
    )


def scenarios(costs: CostOutlook) -> tuple[Figures, ...]:
    """Who wins in each scenario and what today's choice costs more."""
    rows = [
        [one.name, one.winner, usd(one.regret_usd), usd(one.regret_high_usd), f"{one.p_regret:.0%}"]
        for one in costs.scenarios
    ]
    heads = ("scenario", "cheapest", "regret", "regret, high", "chance of regret")
    return (Figures(f"Regret of {costs.choice} over {costs.months} months", heads, rows),)


def tornado(costs: CostOutlook) -> tuple[Figures, ...]:
    """Both ends of each input that moves anything."""
    rows = [
        [
            bar.input,
            bar.own,
            f"{bar.low.value:g}",
            f"{bar.high.value:g}",
            bar.unit,
            usd(bar.low.lead_usd),
            usd(bar.high.lead_usd),
            ", ".join(dict.fromkeys(end.winner for end in (bar.low, bar.high) if end.winner != costs.choice)),
        ]
        for bar in costs.tornado
        if bar.swing or bar.low.usd != bar.high.usd
    ]
    heads = ("input", "of", "low", "high", "unit", "lead at low", "lead at high", "then cheapest")
    return (Figures(f"Lead of {costs.choice} over the best other, {costs.months} months", heads, rows),)


def hybrid(costs: CostOutlook) -> tuple[Figures, ...]:
    """The best split of every pair."""
    rows = [
        [one.own, one.api, f"{one.best.replicas}", f"{one.best.own_share:.1%}", usd(one.best.usd), usd(one.saves_usd)]
        for one in costs.splits
    ]
    heads = ("own machines", "API", "replicas", "own share", "a month", "saves")
    return (Figures("Best split of each pair, running cost", heads, rows),)


def rent_or_buy(costs: CostOutlook) -> tuple[Figures, ...]:
    """Own machines in every way with a known price, for each candidate that may run on them."""
    heads = ("machine", "had", "replicas", "machines", "machines a month", "in full a month", f"{costs.months} months")
    found = []
    for candidate, group in groupby(costs.hosted, key=lambda one: one.candidate):
        rows = [
            [
                one.machine,
                one.tenure,
                f"{one.replicas}",
                f"{one.machines}",
                usd(one.machines_usd),
                usd(one.month_usd),
                usd(one.horizon_usd),
            ]
            for one in group
        ]
        found.append(Figures(f"Rent or buy for {candidate}", heads, rows))
    return tuple(found) or (Figures("Rent or buy: no candidate runs on own machines", heads, []),)


TOTALS: Mapping[str, tuple[str, Callable[[LineCost], bool]]] = {
    "sticker price": ("the sum of what a price list shows", lambda line: line.sticker),
    "once": ("the sum of what is paid before the first request", lambda line: line.group == "one-off"),
    "a month": ("the sum of all lines but those paid once, at today's volume", lambda line: line.group != "one-off"),
    "in full": ("the sum of all lines", lambda line: True),
}


def known_lines(costs: CostOutlook) -> tuple[str, ...]:
    """All that `explained` opens: the lines of any plan, those unknown, and the totals."""
    lines = [line.name for plan in costs.plans for line in plan.lines]
    return tuple(dict.fromkeys([*lines, *(name for plan in costs.plans for name in plan.unknown), *TOTALS]))


def _total(costs: CostOutlook, name: str) -> Figures:
    formula, counts = TOTALS[name]
    rows = []
    for plan in costs.plans:
        lines = [line for line in plan.lines if counts(line)]
        month, whole = (sum(getattr(line, of) for line in lines) for of in ("month_usd", "horizon_usd"))
        rows.append([plan.candidate, "=", f"{month:,.2f}", f"{whole:,.2f}", formula])
        rows += [["", line.name, f"{line.month_usd:,.2f}", f"{line.horizon_usd:,.2f}", line.formula] for line in lines]
        rows += [["", one, "unknown", "unknown", why] for one, why in plan.unknown.items()]
    return Figures(name, ("candidate", "line", "USD a month", f"USD over {costs.months} months", "formula"), rows)


def explained(costs: CostOutlook, name: str) -> Figures:
    """One line's formula, amounts and inputs, plan by plan; a total's lines."""
    if name in TOTALS:
        return _total(costs, name)
    rows = []
    for plan in costs.plans:
        if name in plan.unknown:
            rows.append([plan.candidate, "=", "unknown", "", plan.unknown[name], ""])
        for line in plan.lines:
            if line.name == name:
                amount = f"{line.month_usd:,.2f} USD a month, {line.horizon_usd:,.2f} over {costs.months} months"
                rows.append([plan.candidate, "=", amount, "", line.formula, ""])
                for one in (costs.inputs[key] for key in line.inputs):
                    span = "" if one.low == one.high else f"{one.low:g} to {one.high:g}"
                    rows.append(["", one.name, f"{one.value:g} {one.unit}", span, one.source, one.as_of])
    return Figures(name, ("candidate", "input", "value", "range", "source", "as of"), rows)


def notes(costs: CostOutlook) -> list[str]:
    """What to know beside the tables."""
    said = [f"not priced: {name}: {reason}" for name, reason in costs.without.items()]
    said += [f"{plan.candidate}: {name}: {why}" for plan in costs.plans for name, why in plan.unknown.items()]
    guessed = [one.source for key, one in costs.inputs.items() if key.endswith("replica_rate")]
    if any(SAID in source for source in guessed):
        said.append("own machines that no run has measured are estimated by sizing: --explain 'machines for the load'")
    if costs.searched_to < HIGHEST:
        said.append(
            f"the search over volume ends at {costs.searched_to:,.0f} requests a day, where one candidate takes "
            f"{MOST_STEPS:,} replicas"
        )
    said.append(
        "amounts are those of every input at its own value; median, low and high are those of the worlds, "
        "and lie above them where a range reaches further up than down"
    )
    said.append(f"today's choice: {costs.choice}; ranges hold 90 % of {costs.worlds:,} worlds; nothing is discounted")
    return said


TABLES: Mapping[str, Callable[[CostOutlook], tuple[Figures, ...]]] = {
    "": overview,
    "break-even": break_even,
    "scenarios": scenarios,
    "tornado": tornado,
    "hybrid": hybrid,
    "rent-or-buy": rent_or_buy,
}
