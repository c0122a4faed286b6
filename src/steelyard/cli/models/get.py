"""`steelyard models get`: weights fetched once, checked, never half there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.telling import candidate_called
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Candidate


@click.command("get")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--all", "everything", is_flag=True, help="Get every model that has a weights recipe.")
@click.option(
    "--study",
    type=click.Path(path_type=Path),
    help="Get what this study's candidates need, but nothing that its use may not even evaluate.",
)
def get_command(ids: tuple[str, ...], everything: bool, study: Path | None) -> None:
    """Fetch weights once, check their SHA-256, and print where they lie. A download is never half there."""
    from steelyard.catalogue.own import catalogue_for

    catalogue = catalogue_for(study)
    if not ids and not everything and study is None:
        raise click.UsageError("name one or more models, --study STUDY, or --all")
    if everything:
        ids += tuple(model.id for model in catalogue.models.values() if model.weights)
    wanted = [candidate_called(catalogue, name) for name in ids] + (_of_study(catalogue, study) if study else [])
    for candidate in {candidate.model.id: candidate for candidate in wanted}.values():
        _get(candidate)


def _of_study(catalogue: Catalogue, study: Path) -> list[Candidate]:
    """The study's candidates with weights to get, less those that its use may not evaluate: judged first."""
    from datetime import UTC, datetime

    from steelyard.licences.judge import judge_candidate
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    case = load_study(study)
    wanted = []
    for candidate in candidates_of(case, catalogue):
        if candidate.weights is None:
            continue
        at = datetime.now(UTC).date()
        verdict = judge_candidate(candidate, case.use, case.workload, at, purpose="evaluate", catalogue=catalogue)
        if verdict.status == "forbidden":
            say(f"{candidate.id}: not fetched, evaluating it is forbidden: {verdict.headline}", err=True)
        else:
            wanted.append(candidate)
    return wanted


def _get(candidate: Candidate) -> None:
    from steelyard.catalogue.target import why_not_runnable
    from steelyard.catalogue.weights import get_weights
    from steelyard.errors import NotAvailable, Problem
    from steelyard.quantities import Unknown

    if candidate.weights is None:
        no_recipe = candidate.route in ("hf", "llama-cpp", "transformers")
        id = candidate.model.id
        why = why_not_runnable(candidate) if no_recipe else f"{candidate.id} has no weights to get"
        step = (
            ""
            if no_recipe
            else f"it is had through an API: `steelyard models show {id}` tells who sells it and the key"
        )
        raise NotAvailable(Problem("weights-missing", why, next_step=step))
    licence = candidate.model.licence
    terms = licence.reason if isinstance(licence, Unknown) else licence.value.id
    say(
        f"{candidate.model.id}: licence {terms}; `steelyard licence judge {candidate.model.id}` "
        "says what it allows you",
        err=True,
    )
    path = get_weights(candidate.model, candidate.weights, lambda line: say(line, err=True))
    say(f"{candidate.model.id} {path}")
