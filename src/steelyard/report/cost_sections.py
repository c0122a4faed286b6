"""Costs in full: what the sticker price leaves out, who is cheapest where and when, and what may come."""

from __future__ import annotations

from steelyard.decision import CostOutlook, Decision
from steelyard.decision.sentences import usd
from steelyard.quantities import Unknown
from steelyard.report.blocks import Block, Cell, Curve, Curves, Section, Swing, Table, Tornado
from steelyard.report.numbers import count, listing

SPANS_SHOWN = 12
BARS_SHOWN = 12
SEARCHED = 1e8


def ahead(decision: Decision) -> Section | None:
    """The section, where a run has worked it out."""
    costs = decision.costs
    if isinstance(costs, Unknown):
        return None
    names = {line.candidate: line.name for line in decision.standings}
    blocks: list[Block] = [_in_full(costs, names), _left_out(costs, names), _volume(costs, names), _spent(costs, names)]
    if len(costs.plans) > 1:
        blocks.append(_tornado(costs, names))
    if costs.splits:
        blocks.append(_splits(costs, names))
    if costs.hosted:
        blocks.append(_hosted(costs, names))
    blocks.append(_scenarios(costs, names))
    blocks += [_inputs(costs), _formulas(costs)]
    lead = (
        "Staff, set-up and what no price list shows are counted. Amounts hold each input at its own value; ranges hold "
        f"90 % of {costs.worlds:,} worlds with every input drawn from its range. "
        "steelyard cost STUDY --explain LINE opens a line into formula, inputs and sources."
    )
    return Section("costs-ahead", "Costs in full", lead, tuple(blocks))


def _money(amount: float) -> Cell:
    return Cell(usd(amount), numeric=True)


def _in_full(costs: CostOutlook, names: dict[str, str]) -> Table:
    rows = tuple(
        (
            Cell(names.get(plan.candidate, plan.candidate), note=_way(plan.way, tuple(plan.unknown))),
            _money(plan.month_usd),
            _money(plan.once_usd),
            _money(plan.horizon_usd),
            Cell(f"{usd(plan.low_usd)} to {usd(plan.high_usd)}", numeric=True),
            Cell("not compared" if plan.unknown else f"{plan.band.p_cheapest * 100:.0f} %", numeric=True),
        )
        for plan in costs.plans
    )
    head = ("Candidate", "A month", "Once", f"Over {count(costs.months, 'month')}", "90 % of worlds", "Cheapest in")
    return Table("Each candidate in full", head, rows)


def _way(way: str, unknown: tuple[str, ...]) -> str:
    """How it is had, and what of it nobody knows: then the amounts are the least."""
    return f"{way}; at least, because unknown: {', '.join(unknown)}" if unknown else way


def _left_out(costs: CostOutlook, names: dict[str, str]) -> Table:
    """Lines that any plan has, a column a plan, in USD over the horizon."""
    lines = {line.name: line for plan in costs.plans for line in plan.lines if not line.sticker}
    told = {(plan.candidate, line.name): line.horizon_usd for plan in costs.plans for line in plan.lines}
    rows = [
        (Cell("sticker price"), Cell(""), *(_money(plan.sticker_usd) for plan in costs.plans)),
        *(
            (Cell(name), Cell(line.group), *(_money(told.get((plan.candidate, name), 0.0)) for plan in costs.plans))
            for name, line in lines.items()
        ),
    ]
    for name, why in {name: why for plan in costs.plans for name, why in plan.unknown.items()}.items():
        said = (Cell("unknown" if name in plan.unknown else usd(0.0), numeric=True) for plan in costs.plans)
        rows.append((Cell(name, note=why), Cell("infrastructure"), *said))
    head = ("Line", "Group", *(names.get(plan.candidate, plan.candidate) for plan in costs.plans))
    return Table(f"What the sticker price leaves out, over {count(costs.months, 'month')}", head, tuple(rows))


def _volume(costs: CostOutlook, names: dict[str, str]) -> Curves:
    spans = costs.over_volume
    rows = [
        (
            Cell(f"{span.start:,.0f}", numeric=True),
            Cell(f"{span.end:,.0f}", numeric=True),
            Cell(names.get(span.cheapest, span.cheapest)),
        )
        for span in spans[:SPANS_SHOWN]
    ]
    if len(spans) > SPANS_SHOWN:
        last = spans[-1]
        left = len(spans) - SPANS_SHOWN
        rows.append(
            (Cell("...", numeric=True), Cell("...", numeric=True), Cell(f"{left} more, the last: {last.cheapest}"))
        )
    told = "; ".join(f"up to {span.end:,.0f} {names.get(span.cheapest, span.cheapest)}" for span in spans[:SPANS_SHOWN])
    return Curves(
        title="Running cost a month over volume",
        description=f"Cheapest by requests a day: {told}.{_stopped(costs)}",
        x_title="requests a day (log scale)",
        y_title="USD a month (log scale)",
        curves=tuple(Curve(names.get(plan.candidate, plan.candidate), plan.volume) for plan in costs.compared),
        marks=tuple(span.start for span in spans[1:]),
        table=Table("Who is cheapest at which volume", ("Above, requests a day", "Up to", "Cheapest"), tuple(rows)),
        log=True,
    )


def _stopped(costs: CostOutlook) -> str:
    if costs.searched_to >= SEARCHED:
        return ""
    return f" The search ends at {costs.searched_to:,.0f}, where one candidate would take too many machines to list."


def _spent(costs: CostOutlook, names: dict[str, str]) -> Curves:
    def line(values: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
        return tuple((float(month), usd) for month, usd in enumerate(values, 1))

    rows = tuple(
        (
            Cell(names.get(plan.candidate, plan.candidate)),
            Cell(f"{month}", numeric=True),
            *(_money(values[month - 1]) for values in (plan.band.low, plan.band.middle, plan.band.high)),
        )
        for plan in costs.plans
        for month in sorted({1, *range(6, costs.months + 1, 6), costs.months})
    )
    changes = costs.over_time[1:]
    said = listing([f"month {span.start:.1f} ({names.get(span.cheapest, span.cheapest)})" for span in changes])
    return Curves(
        title="What has been spent by each month",
        description=f"Median and 90 % of worlds. The cheapest so far changes at {said or 'no month'}.",
        x_title="months",
        y_title="USD in all, median and 90 % of worlds",
        curves=tuple(
            Curve(
                names.get(plan.candidate, plan.candidate),
                *(line(values) for values in (plan.band.middle, plan.band.low, plan.band.high)),
            )
            for plan in costs.plans
        ),
        marks=tuple(max(1.0, span.start) for span in changes),
        table=Table("What has been spent", ("Candidate", "By month", "Low", "Median", "High"), rows),
    )


def _tornado(costs: CostOutlook, names: dict[str, str]) -> Tornado:
    bars = [bar for bar in costs.tornado if bar.swing][:BARS_SHOWN]
    choice = names.get(costs.choice, costs.choice)
    rows = tuple(
        (
            Cell(bar.input.replace("_", " "), note=names.get(bar.own, bar.own)),
            Cell(f"{bar.low.value:g} to {bar.high.value:g}", note=bar.unit),
            _money(bar.low.lead_usd),
            _money(bar.high.lead_usd),
            Cell(listing([names.get(w, w) for w in (bar.low.winner, bar.high.winner) if w != costs.choice]) or "no"),
        )
        for bar in bars
    )
    base = next((one for one in costs.scenarios), None)
    others = [total.usd for total in base.totals if total.candidate != costs.choice] if base else []
    mine = costs.plan(costs.choice).horizon_usd
    return Tornado(
        title=f"What moves the lead of {choice}, one input at a time",
        description="Bars go from the lead at the low end of an input's range to that at its high end; "
        "left of zero another plan is cheaper; red: another one than as stated is the cheapest at an end.",
        base=min(others) - mine if others else 0.0,
        swings=tuple(
            Swing(
                bar.input.replace("_", " "),
                bar.low.lead_usd,
                bar.high.lead_usd,
                bar.turns(costs.scenarios[0].winner),
            )
            for bar in bars
        ),
        table=Table("The lead at both ends", ("Input", "Range", "Lead, low", "Lead, high", "Another wins"), rows),
    )


def _splits(costs: CostOutlook, names: dict[str, str]) -> Table:
    rows = tuple(
        (
            Cell(names.get(one.own, one.own)),
            Cell(names.get(one.api, one.api)),
            Cell(f"{one.best.replicas}", numeric=True),
            Cell(f"{one.best.own_share * 100:.1f} %", numeric=True),
            _money(one.best.usd),
            _money(one.saves_usd),
        )
        for one in costs.splits
    )
    head = ("Own machines", "API", "Replicas", "Own share", "A month", "Saves a month")
    return Table("Base load on own machines, the rest to an API: the best split of each pair", head, rows)


def _hosted(costs: CostOutlook, names: dict[str, str]) -> Table:
    """Own machines in every way with a known price."""
    rows = tuple(
        (
            Cell(names.get(one.candidate, one.candidate)),
            Cell(one.machine),
            Cell(one.tenure),
            Cell(f"{one.machines}", numeric=True),
            _money(one.machines_usd),
            _money(one.month_usd),
            _money(one.horizon_usd),
        )
        for one in costs.hosted
    )
    over = f"Over {count(costs.months, 'month')}"
    head = ("Candidate", "On", "Had", "Machines, spares too", "Machines a month", "A month in full", over)
    return Table("Rent or buy", head, rows)


def _formulas(costs: CostOutlook) -> Table:
    """How each line is worked out, and the inputs that move it."""
    lines = {line.name: line for plan in costs.plans for line in plan.lines}
    behind = {
        name: dict.fromkeys(
            costs.inputs[key].name
            for plan in costs.plans
            for line in plan.lines
            if line.name == name
            for key in line.inputs
        )
        for name in lines
    }
    rows = tuple((Cell(name), Cell(line.formula), Cell(", ".join(behind[name]))) for name, line in lines.items())
    return Table("How each line is worked out, in USD a month", ("Line", "Formula", "Inputs"), rows)


def _inputs(costs: CostOutlook) -> Table:
    """Every input behind a line, once."""
    rows = tuple(
        (
            Cell(one.name, note=key.rpartition("/")[0]),
            Cell(f"{one.value:g}", note=one.unit, numeric=True),
            Cell("" if one.low == one.high else f"{one.low:g} to {one.high:g}"),
            Cell(one.source, note=one.as_of),
        )
        for key, one in sorted(costs.inputs.items(), key=lambda item: item[1].name)
    )
    return Table("Every input, with its range and source", ("Input", "Value", "Range", "Source"), rows)


def _scenarios(costs: CostOutlook, names: dict[str, str]) -> Table:
    rows = tuple(
        (
            Cell(one.name, note=one.about),
            Cell(names.get(one.winner, one.winner)),
            _money(one.regret_usd),
            _money(one.regret_high_usd),
            Cell(f"{one.p_regret * 100:.0f} %", numeric=True),
        )
        for one in costs.scenarios
    )
    head = ("Scenario", "Cheapest", "Regret", "Regret, high", "Chance")
    choice = names.get(costs.choice, costs.choice)
    return Table(f"What today's choice of {choice} would cost more, over {costs.months} months", head, rows)
