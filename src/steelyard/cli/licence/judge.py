"""`steelyard licence judge`: one use of some models or terms, the candidates of a study, or a file of uses."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.licence.options import WHAT, WHO, refuse_beside, use_of_options, with_options
from steelyard.cli.licence.telling import NOT_ADVICE, say_document, say_verdict, verdict_row
from steelyard.cli.say import say
from steelyard.errors import GateFailed, InputError, Problem

if TYPE_CHECKING:
    from steelyard.catalogue.model import Candidate
    from steelyard.licences import Verdict
    from steelyard.usecase.case import Purpose

PURPOSES = ("evaluate", "research", "internal", "product", "hosted-service")
STRICTNESS = ("conditional", "unknown", "forbidden")


@click.command("judge")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--licence", "licences", multiple=True, help="Terms instead of a model: an id, or `A AND (B OR C)`.")
@click.option("--study", type=click.Path(path_type=Path), help="Judge the candidates of a study for its use.")
@click.option("--batch", type=click.Path(path_type=Path), help="Judge a JSONL file, one use a line (see licences.md).")
@click.option(
    "--purpose", type=click.Choice(PURPOSES), default=None, help="What it is for [default: the study's, else product]."
)
@with_options(WHAT, WHO)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fail-on", type=click.Choice(STRICTNESS), help="Exit with 3 if a verdict is as strict as this.")
def judge_command(
    models: tuple[str, ...],
    licences: tuple[str, ...],
    study: Path | None,
    batch: Path | None,
    purpose: Purpose | None,
    as_json: bool,
    fail_on: str | None,
    **options: Any,
) -> None:
    """Judge MODELs, terms, a study's candidates or a file of uses: verdict, clause, duties, questions, limits."""
    from datetime import UTC, datetime

    named = [source for source in (models or licences, study, batch) if source]
    if len(named) > 1:
        raise click.UsageError("name models or a study or a batch, not both")
    if not named:
        raise click.UsageError("name the models to judge, or a study with --study STUDY, or terms with --licence ID")
    at = datetime.now(UTC).date()
    if batch or study:
        refuse_beside("--batch" if batch else "--study")
    if batch:
        verdicts = _of_batch(batch, at)
    elif study:
        verdicts = _of_study(study, purpose, at)
    else:
        verdicts = _of_options(models, licences, purpose or "product", options, at)
    if as_json:
        _say_json(verdicts, at, bare=batch is not None)
    else:
        for name, verdict in verdicts:
            say_verdict(name, verdict)
        say(NOT_ADVICE)
    if fail_on:
        failing = STRICTNESS[STRICTNESS.index(fail_on) :]
        failed = [name for name, verdict in verdicts if verdict.status in failing]
        if failed:
            raise GateFailed(Problem("licence-gate-failed", f"--fail-on {fail_on}: {', '.join(failed)}"))


def _of_study(study: Path, purpose: Purpose | None, at: date) -> list[tuple[str, Verdict]]:
    from steelyard.catalogue.own import catalogue_for
    from steelyard.licences.judge import judge_candidate
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    case = load_study(study)
    catalogue = catalogue_for(case.file)
    return [
        (candidate.id, judge_candidate(candidate, case.use, case.workload, at, purpose=purpose, catalogue=catalogue))
        for candidate in candidates_of(case, catalogue)
    ]


def _of_options(
    models: tuple[str, ...], licences: tuple[str, ...], purpose: Purpose, options: dict[str, Any], at: date
) -> list[tuple[str, Verdict]]:
    from dataclasses import replace

    from steelyard.licences.expression import judge_expression
    from steelyard.licences.facts import facts_of_use
    from steelyard.licences.judge import judge_candidate
    from steelyard.licences.load import load_licences
    from steelyard.quantities import Unknown

    use = replace(use_of_options(options), purpose=purpose)
    verdicts = [
        (candidate.id, judge_candidate(candidate, use, Unknown("no study was given"), at, purpose=purpose))
        for candidate in _resolve_all(models)
    ]
    facts = facts_of_use(use)
    return verdicts + [(text, judge_expression(text, facts, at, load_licences())) for text in licences]


def _of_batch(file: Path, at: date) -> list[tuple[str, Verdict]]:
    """One verdict a line that is not blank, named by the line's number."""
    from steelyard.catalogue.load import load_catalogue
    from steelyard.licences.batch import judge_text
    from steelyard.licences.load import load_licences

    try:
        lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        what = f"the batch cannot be read: {error.strerror or error}"
        raise InputError(Problem("data-not-found", what, str(file), next_step="name a JSONL file")) from None
    catalogue, licences = load_catalogue(), load_licences()
    return [
        (f"line {number}", judge_text(line.decode("utf-8", "replace"), at, catalogue, licences))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _say_json(verdicts: list[tuple[str, Verdict]], at: date, *, bare: bool) -> None:
    from dataclasses import asdict

    rows = [
        verdict_row(verdict) if bare else {"candidate": name, "verdict": verdict.status, **asdict(verdict)}
        for name, verdict in verdicts
    ]
    say_document({"judged_at": at.isoformat(), "note": NOT_ADVICE, "verdicts": rows})


def _resolve_all(models: tuple[str, ...]) -> list[Candidate]:
    from steelyard.catalogue.load import load_catalogue
    from steelyard.catalogue.resolve import resolve

    catalogue = load_catalogue()
    found: list[Candidate] = []
    problems: list[Problem] = []
    for model in models:
        candidate = resolve(catalogue, model)
        if isinstance(candidate, Problem):
            problems.append(candidate)
        else:
            found.append(candidate)
    if problems:
        raise InputError(problems)
    return found
