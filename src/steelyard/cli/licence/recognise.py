"""`steelyard licence recognise`: which terms come with a text, a GGUF file or a model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.licence.telling import NOT_ADVICE, say_document
from steelyard.cli.say import say
from steelyard.errors import GateFailed, InputError, Problem

if TYPE_CHECKING:
    from steelyard.licences.provenance import ModelAnswer, Provenance, TextAnswer

STRICTNESS = ("unknown", "contradictory")
COLOURS = {"named": "green", "unknown": "yellow", "contradictory": "red"}


@click.command("recognise")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fail-on", type=click.Choice(STRICTNESS), help="Exit with 3 if an answer is this bad or worse.")
def recognise_command(paths: tuple[Path, ...], as_json: bool, fail_on: str | None) -> None:
    """Name the licences of PATHs: a text, a GGUF file, or a model's folder with its papers. Or say why not.

    In a folder LICENSE, COPYING, NOTICE and USE_POLICY files, the README's front matter, config.json and the heads of
    GGUF files are read and held against each other and against what the catalogue knows of the bases.
    """
    found = _found(paths)
    if as_json:
        _say_json(found)
    else:
        for one in found:
            _say(one)
        say(NOT_ADVICE)
    failing = STRICTNESS[STRICTNESS.index(fail_on) :] if fail_on else ()
    failed = [one.place for one in found if one.status in failing]
    if failed:
        raise GateFailed(Problem("licence-gate-failed", f"--fail-on {fail_on}: {', '.join(failed)}"))


def _found(paths: tuple[Path, ...]) -> list[Provenance]:
    """What each path is; every path that cannot be read is told at once."""
    from steelyard.catalogue.load import load_catalogue
    from steelyard.licences.load import load_licences
    from steelyard.licences.papers import read_papers
    from steelyard.licences.provenance import Knowledge, provenance
    from steelyard.licences.tags import load_tags

    knowledge = Knowledge(load_licences(), load_catalogue(), load_tags())
    found: list[Provenance] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found.append(provenance(read_papers(path), knowledge))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return found


def _say_json(found: list[Provenance]) -> None:
    from dataclasses import asdict

    say_document({"note": NOT_ADVICE, "paths": [{**asdict(one), "expression": one.expression} for one in found]})


def _say(one: Provenance) -> None:
    say(f"{one.place}: {one.status}: {one.expression}", colour=COLOURS[one.status], bold=True)
    for text in one.texts:
        say(f"  {text.kind}: {text.file}: {_of_text(text)}")
    for tag in one.tags:
        ids = " or ".join(tag.licences) or "names no terms known here"
        say(f"  tag: {tag.file}: {tag.field} = {tag.value}: {ids}")
    for model in one.models:
        say(f"  {'model' if model.itself else 'base'}: {model.file}: {model.field} = {model.model}: {_of_model(model)}")
    for contradiction in one.contradictions:
        say(f"  contradiction: {contradiction.between}: {contradiction.what}")
    for reason in one.open:
        say(f"  open: {reason}")


def _of_text(text: TextAnswer) -> str:
    named = " or ".join(text.licences)
    if text.of_text is not None and text.of_licence is not None:
        return f"{text.name} ({100 * text.of_text:.0f} % of the text, {100 * text.of_licence:.0f} % of the licence)"
    if text.kind != "licence":
        return f"speaks of {named}" if named else "speaks of no terms known here by title"
    near = f" (nearest: {', '.join(text.nearest)})" if text.nearest else ""
    return f"{named + ', revision open' if named else 'not named'}: {text.reason}{near}"


def _of_model(model: ModelAnswer) -> str:
    return "; ".join(part for part in (" and ".join(model.licences), model.reason) if part)
