"""How sure, what would change the answer, what was ruled out, what was not measured."""

from __future__ import annotations

from steelyard.decision import Comparison, Decision, Standing
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Block, Bullets, Cell, Fact, Facts, Section, Table, Text
from steelyard.report.certainty_sections import certain
from steelyard.report.numbers import count, listing


def doubts(decision: Decision) -> Section:
    """What speaks against trusting the answer. A margin that cannot be told from nothing is a doubt already."""
    blocks: list[Block] = []
    if decision.margin and (decision.margin.separable or not decision.doubts):
        blocks.append(Text((margin(decision, decision.margin),)))
    if certain(decision):
        blocks.append(Text(certain(decision)))
    if decision.doubts:
        blocks.append(Bullets(decision.doubts))
    if not blocks:
        blocks.append(Text(("No doubts were found.",)))
    return Section("doubts", "How sure", "", tuple(blocks), half=True)


def margin(decision: Decision, lead: Comparison) -> str:
    """The paired difference between the winner and the next, in one sentence."""
    first, second = _name(decision, lead.first), _name(decision, lead.second)
    span = numbers.interval(lead.difference)
    between = f" ({numbers.level(lead.difference)} interval {span})" if span else ""
    told = "can be told apart" if lead.separable else "cannot be told apart"
    return (
        f"{first} is {numbers.points(abs(lead.difference.value))[1:]} "
        f"{'above' if lead.difference.value >= 0 else 'below'} {second}{between}; on these "
        f"{count(decision.data.n_test, 'sample')} the two {told} (p = {numbers.p_value(lead.p_adjusted)}, "
        "corrected for the number of comparisons)."
    ).replace("p = <", "p <")


def rechecks(decision: Decision) -> Section:
    """What would change the answer and when to look again."""
    unread = {line.candidate for line in decision.standings if _terms_open(line)}
    items = tuple(
        f"{_name(decision, need.candidate)}, if it reaches {numbers.value(need.needed_quality)} or more"
        f"{' and if its terms allow the use' if need.candidate in unread else ''}."
        for need in decision.would_need
        if not isinstance(need.needed_quality, Unknown)
    )
    items += decision.recheck_when
    blocks: tuple[Block, ...] = (
        (Bullets(items),) if items else (Text(("Nothing was found that would change the answer.",)),)
    )
    return Section("recheck", "What would change it", "", blocks, half=True)


def ruled_out(decision: Decision) -> Section:
    """Who failed a hard condition: by which gate, with the number or the clause."""
    rows = []
    out = set()
    for line in decision.standings:
        for gate in line.ruled_out_by:
            if gate.outcome == "unknown" and line.not_measured:
                continue
            out.add(line.candidate)
            state = "not known" if gate.outcome == "unknown" else ""
            rows.append(
                (
                    Cell(line.name, note=line.candidate),
                    Cell(gate.name, note=state),
                    Cell(gate.limit),
                    Cell(gate.value),
                    Cell(gate.detail),
                )
            )
    if not rows:
        words = "No candidate failed a gate." if decision.standings else "There are no candidates in this study."
        return Section("ruled-out", "Ruled out", words, ())
    lead = f"{len(out)} of {count(len(decision.standings), 'candidate')} failed a hard condition of this study."
    table = Table("Gates that did not pass", ("Candidate", "Gate", "Limit", "Found", "In words"), tuple(rows))
    return Section("ruled-out", "Ruled out", lead, (table,))


def not_measured(decision: Decision) -> Section | None:
    """Who has no measurement, why, and what it would have to reach or why that would not matter."""
    lines = [line for line in decision.standings if line.not_measured]
    if not lines:
        return None
    needs = {need.candidate: need for need in decision.would_need}
    items = []
    for line in lines:
        need = needs.get(line.candidate)
        texts = [f"Not measured: {line.not_measured}.", _price(line)]
        if need:
            texts.append(need.sentence)
        elif failed := [gate.name for gate in line.gates if gate.outcome == "failed"]:
            texts.append(f"Whatever a measurement said, it is ruled out: {listing(failed)}.")
        items.append(Fact(line.name, tuple(texts)))
    still = [line for line in lines if not any(gate.outcome == "failed" for gate in line.gates)]
    lead = "None of these could win today."
    if still:
        lead = f"{listing([line.name for line in still])} could still change the picture"
        unread = [line.name for line in still if _terms_open(line)]
        lead += f"; first it must be settled that the terms of {listing(unread)} allow the use." if unread else "."
    return Section("not-measured", "Not measured", lead, (Facts(tuple(items)),))


def _terms_open(line: Standing) -> bool:
    """Whether nobody has said yet that this use is allowed."""
    return any(gate.name == "licence" and gate.outcome == "unknown" for gate in line.gates)


def _price(line: Standing) -> str:
    cost = line.cost
    if isinstance(cost, Unknown):
        return f"Cost unknown: {cost.reason}."
    if isinstance(cost.per_1000, Unknown):
        return f"Cost unknown: {cost.per_1000.reason}."
    monthly = (
        "" if isinstance(cost.per_month, Unknown) else f", {numbers.value(cost.per_month)} a month at this workload"
    )
    return f"It would cost {numbers.value(cost.per_1000)} per 1,000 requests{monthly}."


def _name(decision: Decision, candidate: str) -> str:
    return next((line.name for line in decision.standings if line.candidate == candidate), candidate)
