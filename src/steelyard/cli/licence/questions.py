"""`steelyard licence questions`: what a study would have to say for its verdicts to be answers."""

from __future__ import annotations

import re
from pathlib import Path

import click

from steelyard.cli.licence.telling import say_document
from steelyard.cli.say import say

TO_ASK = "to find out"
"""Where no field of the study file can hold the answer."""


@click.command("questions")
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def questions_command(study: Path, as_json: bool) -> None:
    """List the open licence questions of all candidates of STUDY, by the field of the study file that answers them."""
    grouped = _grouped(study)
    if as_json:
        rows = [
            {"field": field, "question": question, "candidates": names}
            for field, questions in grouped.items()
            for question, names in questions.items()
        ]
        say_document({"questions": rows})
        return
    if not grouped:
        say("no licence question is open")
    for field, questions in grouped.items():
        say(field, bold=True)
        for question, names in questions.items():
            say(f"  {question}")
            say(f"    {', '.join(names)}")


def _grouped(study: Path) -> dict[str, dict[str, list[str]]]:
    """Field of the study file -> question -> candidates. What no field answers comes last."""
    from datetime import UTC, datetime

    from steelyard.catalogue.own import catalogue_for
    from steelyard.licences.judge import judge_candidate
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    case = load_study(study)
    at = datetime.now(UTC).date()
    found: dict[str, dict[str, list[str]]] = {}
    catalogue = catalogue_for(case.file)
    for candidate in candidates_of(case, catalogue):
        for purpose in (None, "evaluate"):
            verdict = judge_candidate(candidate, case.use, case.workload, at, purpose=purpose, catalogue=catalogue)
            for question in verdict.questions:
                text, field = _split(question)
                names = found.setdefault(field, {}).setdefault(text, [])
                if candidate.id not in names:
                    names.append(candidate.id)
    return dict(sorted(found.items(), key=lambda item: (item[0] == TO_ASK, item[0])))


def _split(question: str) -> tuple[str, str]:
    """A question names its field in brackets at its end."""
    match = re.fullmatch(r"(.*) \((use\.[a-z_.]+|candidates)\)", question)
    return (match[1], match[2]) if match else (question, TO_ASK)
