"""`steelyard cost STUDY`: what each candidate costs in full, who is cheapest where, and what may change that."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.errors import InputError, Problem

if TYPE_CHECKING:
    from steelyard.costs.outlook import CostOutlook
    from steelyard.usecase.case import Tenure

TERMS = ("on-demand", "spot", "1-year", "3-year", "owned")


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--break-even", "view", flag_value="break-even", help="Who is cheapest at which volume and when.")
@click.option("--scenarios", "view", flag_value="scenarios", help="What may come, and the regret of today's choice.")
@click.option("--tornado", "view", flag_value="tornado", help="Which input moves the answer most.")
@click.option("--hybrid", "view", flag_value="hybrid", help="Own machines for the base load, an API for the rest.")
@click.option("--rent-or-buy", "view", flag_value="rent-or-buy", help="Own machines by kind and term, or bought.")
@click.option("--explain", "line", default="", metavar="LINE", help="A line's or total's formula, inputs and sources.")
@click.option("--on", default="", metavar="MACHINE", help="Own machines on these (h100), as estimated before a run.")
@click.option("--term", type=click.Choice(TERMS), help="How own machines are had, as estimated before a run.")
@click.option("--csv", "as_csv", is_flag=True, help="The figures of the view as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON document.")
def command(
    study: Path, view: str | None, line: str, on: str, term: Tenure | None, as_csv: bool, as_json: bool
) -> None:
    """Tell what the candidates of STUDY cost: a month, over the horizon, and in what may come.

    After a run its measurements count; before one, tokens are estimated from the text, and machines and rates by
    sizing. Candidates that a gate rules out are left out. Calls no model and costs nothing. Ranges hold 90 % of 1,000
    worlds, in which every input is drawn from its range.
    """
    from steelyard.cli.say import say, say_json

    if as_csv and as_json:
        raise click.UsageError("name one of --csv and --json")
    costs = _outlook(study, on, term)
    if as_json:
        from pydantic import TypeAdapter

        from steelyard.costs.outlook import CostOutlook

        say_json(TypeAdapter(CostOutlook).dump_json(costs, indent=2))
        return
    from steelyard.cli.cost_tables import TABLES, explained, notes

    tables = (explained(costs, _known_line(costs, line)),) if line else TABLES[view or ""](costs)
    if as_csv:
        say(_csv([list(tables[0].heads), *tables[0].rows]).rstrip("\n"))
        return
    from steelyard.cli.table import print_table

    for table in tables:
        say(f"{table.title}\n", bold=True)
        print_table(table.heads, [dict(zip(table.heads, row, strict=True)) for row in table.rows])
        say("")
    say("\n".join(notes(costs)), err=True)


def _outlook(study: Path, on: str, term: Tenure | None) -> CostOutlook:
    """The analysis of the last run, or of what can be known before one; that too where other machines are asked for."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from steelyard.cli.report import output_folder
    from steelyard.decision.store import FILE_NAME, load
    from steelyard.quantities import Unknown
    from steelyard.study import costs_ahead, prepare

    folder = output_folder(study)
    if (folder / FILE_NAME).exists() and not (on or term):
        decision = load(folder)
        costs = decision.costs
        if not isinstance(costs, Unknown):
            _tell_changes(study, folder, decision.made_at)
            return costs
    ready = prepare(study, datetime.now(UTC))
    if on or term:
        had = ready.case.hosting
        hosting = replace(had, on=on.strip().lower() or had.on, term=term or had.term)
        ready = replace(ready, case=replace(ready.case, hosting=hosting))
    costs = costs_ahead(ready, {}, None, {})
    if not isinstance(costs, Unknown):
        return costs
    if isinstance(ready.case.workload, Unknown):
        raise InputError(
            Problem(
                slug="no-workload",
                what="costs a month are unknown: the study states no workload",
                where=str(ready.case.file),
                next_step="add a line such as: workload: {requests_per_day: 20_000, growth_per_month: 2%}",
            )
        )
    raise InputError(
        Problem(
            slug="no-costs",
            what=f"no candidate's cost is known: {costs.reason}",
            where=str(ready.case.file),
            next_step="add a candidate with a price, another `hosting` term, or run `steelyard run` to measure rates",
        )
    )


def _tell_changes(study: Path, folder: Path, made_at: str) -> None:
    """Say when the study file is not the one that was run: its figures are those of the run."""
    from steelyard.cli.say import say
    from steelyard.trials.lock import file_sha256, load_lock

    file = study / "study.yaml" if study.is_dir() else study
    with suppress(InputError, OSError):
        if load_lock(folder, made_at).study_sha256 != file_sha256(file):
            say("the study file has changed since the run that these costs are from: run it again", err=True)


def _known_line(costs: CostOutlook, name: str) -> str:
    from steelyard.catalogue.ids import nearest
    from steelyard.cli.cost_tables import known_lines

    known = known_lines(costs)
    wanted = name.strip().casefold()
    for line in known:
        if line.casefold() == wanted:
            return line
    raise InputError(
        Problem(
            slug="unknown-cost-line",
            what=f"no line of these costs is called {name!r}{nearest(wanted, known)}",
            allowed=", ".join(known),
            next_step="name one of these, in quotes",
        )
    )


def _csv(rows: list[list[str]]) -> str:
    import csv
    from io import StringIO

    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
