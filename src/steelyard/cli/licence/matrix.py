"""`steelyard licence matrix`: every licence against the usual uses, for one organisation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.licence.options import WHO, use_of_options, with_options
from steelyard.cli.licence.telling import NOT_ADVICE, say_document
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.usecase import Use

USES: dict[str, dict[str, str]] = {
    "evaluate": {"purpose": "evaluate"},
    "research": {"purpose": "research"},
    "internal": {"purpose": "internal"},
    "product": {"purpose": "product"},
    "hosted-service": {"purpose": "hosted-service"},
    "distribute-weights": {"purpose": "product", "distribute": "weights"},
    "train-others": {"purpose": "internal", "outputs_train": "other-models"},
}


@click.command("matrix")
@click.option("--commercial/--no-commercial", default=True, show_default=True)
@with_options(WHO)
@click.option("--field", default="ordinary", show_default=True, help="Field of use, e.g. military; else none is named.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def matrix_command(as_json: bool, as_csv: bool, **options: Any) -> None:
    """Show what every licence says to the usual uses by one organisation: a table of verdicts.

    Weights run on own servers, not tuned. What is not said of the organisation is open, as in a study.
    """
    if as_json and as_csv:
        raise click.UsageError("choose --json or --csv, not both")
    rows = _rows(use_of_options(options))
    heads = ("licence", "revision", *USES)
    if as_json:
        say_document({"note": NOT_ADVICE, "rows": rows})
    elif as_csv:
        for line in (heads, *(tuple(row[head] for head in heads) for row in rows)):
            say(",".join(line))
    else:
        from steelyard.cli.table import print_table

        print_table(heads, rows)
        say(NOT_ADVICE)


def _rows(use: Use) -> list[dict[str, str]]:
    from datetime import UTC, datetime

    from steelyard.licences.facts import facts_of_use
    from steelyard.licences.judge import judge_facts
    from steelyard.licences.load import load_licences

    at = datetime.now(UTC).date()
    said = facts_of_use(replace(use, tuned=False))
    facts = {name: replace(said, way="self-hosted", **changed) for name, changed in USES.items()}  # type: ignore[arg-type]
    return [
        {"licence": licence.id, "revision": licence.revision}
        | {name: judge_facts(licence, known, at).status for name, known in facts.items()}
        for revisions in load_licences().by_id.values()
        for licence in revisions
    ]
