"""Licences with clause, duties and questions; costs with their lines and assumptions."""

from __future__ import annotations

from steelyard.decision import Decision, Standing
from steelyard.decision.sentences import edition, read_on
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Block, Cell, Section, Table
from steelyard.report.leaderboard import STATUS
from steelyard.report.numbers import count, listing


def licences(decision: Decision) -> Section | None:
    """One row per distinct verdict, with everyone it concerns."""
    if not decision.standings:
        return None
    verdicts = []
    for line in decision.standings:
        if line.licence not in verdicts:
            verdicts.append(line.licence)
    rows = []
    for verdict in verdicts:
        names = [line.name for line in decision.standings if line.licence == verdict]
        reasons = [f"{reason.text} ({reason.licence} {reason.clause}".rstrip() + ")" for reason in verdict.reasons]
        follow = [f"Duty: {duty}." for duty in verdict.duties]
        follow += [f"Question: {question}" for question in verdict.questions]
        follow += [
            f"Limit: {limit.text} ({limit.licence} {limit.section}".rstrip() + ")." for limit in verdict.thresholds
        ]
        follow += [f"Not read yet: {name}." for name in verdict.not_read]
        text = edition(verdict.licence_name, verdict.revision)
        origin = ", ".join(part for part in (text, verdict.source, read_on(verdict)) if part)
        rows.append(
            (
                Cell(STATUS[verdict.status], status=verdict.status),
                Cell(listing(names)),
                Cell(verdict.licence_name or verdict.licence_id or numbers.UNKNOWN, note=origin),
                _stacked(reasons, "no clause was read"),
                _stacked(follow, "none"),
            )
        )
    lead = f"Terms applied to this use: {decision.intended_use}. Not legal advice."
    head = ("Verdict", "Candidates", "Licence", "Deciding clauses", "Duties and questions")
    return Section("licences", "Licences", lead, (Table("Licence verdicts for this use", head, tuple(rows)),))


def _stacked(sentences: list[str], otherwise: str) -> Cell:
    return Cell(sentences[0], more=tuple(sentences[1:])) if sentences else Cell(otherwise)


def costs(decision: Decision) -> Section | None:
    """Every component of every cost, and the assumptions all of them rest on."""
    lines = [line for line in decision.standings if not isinstance(line.cost, Unknown)]
    if not lines:
        return None
    rows = tuple(row for line in lines for row in _components(line))
    parts = Table(
        "Components of the cost",
        ("Candidate", "Component", "Per 1,000", "Per month", "How it comes about"),
        rows,
    )
    blocks: tuple[Block, ...] = (parts, _assumptions(lines))
    return Section("costs", "Costs", f"At the workload of this study: {decision.workload}.", blocks)


def _components(line: Standing) -> list[tuple[Cell, ...]]:
    cost = line.cost
    if isinstance(cost, Unknown):
        return []
    machines = f"{count(cost.replicas, 'machine')} for the peak" if cost.replicas else ""
    total = numbers.value(cost.horizon_total)
    over = f"{total} over the whole horizon" if total != numbers.UNKNOWN else f"horizon {total}"
    detail = "; ".join(part for part in (cost.way, machines, over) if part)
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(line.name, note=line.candidate),
            Cell("total"),
            Cell(numbers.value(cost.per_1000), numeric=True),
            Cell(numbers.value(cost.per_month), numeric=True),
            Cell(detail),
        )
    ]
    if len(cost.lines) == 1:
        rows[0] = (*rows[0][:1], Cell(cost.lines[0].name), *rows[0][2:4], Cell(f"{cost.lines[0].formula}; {detail}"))
        return rows
    for part in cost.lines:
        rows.append(
            (
                Cell(""),
                Cell(part.name),
                Cell(numbers.value(part.per_1000), numeric=True),
                Cell(numbers.value(part.per_month), numeric=True),
                Cell(part.formula),
            )
        )
    return rows


def _assumptions(lines: list[Standing]) -> Table:
    who: dict[tuple[str, str, str, str], list[str]] = {}
    for line in lines:
        if not isinstance(line.cost, Unknown):
            for fact in line.cost.assumptions:
                names = who.setdefault((fact.name, fact.value, fact.source, fact.as_of), [])
                if line.name not in names:
                    names.append(line.name)
    rows = tuple(
        (
            Cell(name),
            Cell(value),
            Cell(source),
            Cell(as_of),
            Cell(_whom(names, lines)),
        )
        for (name, value, source, as_of), names in who.items()
    )
    head = ("Assumption", "Value", "Source", "As of", "For")
    return Table("Assumptions behind the cost", head, rows)


def _whom(names: list[str], lines: list[Standing]) -> str:
    """The names; "all", or the way that they alone share, where that says the same."""
    ways: dict[str, set[str]] = {}
    for line in lines:
        if not isinstance(line.cost, Unknown):
            ways.setdefault(line.cost.way, set()).add(line.name)
    if len(names) > 1 and set(names) == {line.name for line in lines}:
        return "all"
    whole = next((way for way, members in ways.items() if members == set(names) and len(names) > 1), "")
    return f"all {whole}" if whole else listing(names)
