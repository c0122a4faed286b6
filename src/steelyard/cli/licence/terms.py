"""`steelyard licence list` and `show`: the terms as they are encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from steelyard.cli.licence.telling import say_document
from steelyard.cli.say import say
from steelyard.errors import InputError, Problem

if TYPE_CHECKING:
    from steelyard.licences.clauses import Condition, Licence


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_command(as_json: bool) -> None:
    """List the licences with their revisions and how much of each was read."""
    from steelyard.licences.load import load_licences

    rows = [
        {
            "licence": licences[-1].id,
            "name": licences[-1].name,
            "revisions": ", ".join(licence.revision for licence in licences),
            "read": licences[-1].read,
            "on": licences[-1].as_of,
        }
        for licences in load_licences().by_id.values()
    ]
    if as_json:
        say_document({"licences": rows})
        return
    from steelyard.cli.table import print_table

    print_table(("licence", "name", "revisions", "read", "on"), rows)


@click.command("show")
@click.argument("licence")
@click.option("--revision", default="", help="A revision; the newest encoded one otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show_command(licence: str, revision: str, as_json: bool) -> None:
    """Show the clauses of LICENCE as they are encoded: section, effect, condition, duty, question."""
    from steelyard.catalogue.ids import nearest
    from steelyard.licences.load import load_licences
    from steelyard.quantities import Unknown

    licences = load_licences()
    found = licences.get(licence, revision)
    if isinstance(found, Unknown):
        if not isinstance(named := licences.get(licence), Unknown):
            revisions = ", ".join(one.revision for one in licences.by_id[named.id]) or "none is told apart"
            raise InputError(Problem("unknown-licence", found.reason, "", revisions))
        known = tuple(licences.by_id)
        raise InputError(Problem("unknown-licence", found.reason + nearest(licence, known), "", ", ".join(known)))
    if as_json:
        say_document({"licence": _document(found)})
        return
    say(f"{found.id}: {found.name} {found.revision}".rstrip())
    say(f"  {found.source}; read: {found.read}, {found.as_of}")
    for clause in found.clauses:
        say(f"  {clause.section} {clause.document}".rstrip() + f": {clause.effect}: {clause.text}")
        for name, condition in (("when", clause.when), ("unless", clause.unless)):
            if not condition.is_empty:
                say(f"    {name}: {_asked(condition)}")
        for name, text in (("duty", clause.duty), ("question", clause.question), ("quote", clause.quote)):
            if text:
                say(f"    {name}: {text}")
    for text in found.not_read:
        say(f"  not read: {text}")


def _document(licence: Licence) -> dict[str, object]:
    """Every clause with what it asks; parts of a condition that ask nothing are left out."""
    from dataclasses import asdict

    clauses = [
        {**asdict(clause), "when": _parts(clause.when), "unless": _parts(clause.unless)} for clause in licence.clauses
    ]
    return {**asdict(licence), "clauses": clauses, "not_read": licence.not_read, "permissive": licence.is_permissive}


def _parts(condition: Condition) -> dict[str, object]:
    from dataclasses import asdict

    return {name: value for name, value in asdict(condition).items() if value not in ((), None, "")}


def _asked(condition: Condition) -> str:
    """Only the parts that ask: "purpose=product|hosted-service, commercial=True"."""
    return ", ".join(
        f"{name}={'|'.join(value) if isinstance(value, tuple) else value}" for name, value in _parts(condition).items()
    )
