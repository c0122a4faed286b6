"""`steelyard models scores`: what others published, as hearsay, and what to expect from it before measuring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.telling import say_document, say_line
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Model, PublicScore
    from steelyard.catalogue.scores.kept import Scored
    from steelyard.stats import Estimated

FAMILY = re.compile(r"[A-Za-z]+")
HEARSAY = "hearsay: what others published. No measurement, and in no decision; measure on your own data."


@click.command("scores")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[FILE|FOLDER]...")
@click.option("--model", "models", multiple=True, help="Only of this model; with what to expect of it.")
@click.option("--benchmark", default="", help="Only of benchmarks whose name has this in it.")
@click.option("--write", type=click.Path(path_type=Path), help="Keep what was read in one compressed file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def scores_command(
    files: tuple[Path, ...], models: tuple[str, ...], benchmark: str, write: Path | None, as_json: bool
) -> None:
    """Read public scores: exports of the Open LLM Leaderboard, LMArena, LLM-Stats, Aider, models.dev.

    Without FILE: those that ship with Steelyard. What to expect of a model is shrunk to its family's mean, aged and
    discounted where its maker published it; it is a guess.
    """
    from steelyard.catalogue.scores.importers import read_scores
    from steelyard.catalogue.scores.kept import encoded, shipped
    from steelyard.catalogue.snapshot.listed import model_id

    today = datetime.now(UTC).date()
    read = tuple(one for file in files for one in read_scores(file, today.isoformat())) if files else shipped()
    if write:
        from steelyard.files import write_whole

        write_whole(write, encoded(read))
        say(f"{write}: {len(read):,} scores", err=True)
    wanted = _names(models, read)
    kept = [
        one
        for one in read
        if (not wanted or model_id(one.name) in wanted) and benchmark.lower() in one.score.benchmark.lower()
    ]
    expected = _expected(models, benchmark, read, today)
    for model in models:
        if not any(model_id(one.name) in _names((model,), read) for one in kept):
            say(f"{model}: nobody's score of it is here" + (f" on {benchmark}" if benchmark else ""), err=True)
    if as_json:
        rows = [{"model": name, "benchmark": on, "prior": guess} for name, on, guess in expected]
        say_document({"note": HEARSAY, "scores": kept, "priors": rows})
        return
    say(HEARSAY, err=True)
    for one in kept:
        say_line(f"{one.name}: {told(one.score)}")
    for name, on, guess in expected:
        say_line(f"{name}: {on}: {expectation(guess)}")


def _names(models: Iterable[str], read: Iterable[Scored]) -> set[str]:
    """How scores may call these models; InputError names all that neither a score nor the catalogue knows."""
    from steelyard.catalogue.ids import nearest
    from steelyard.catalogue.load import load_catalogue
    from steelyard.catalogue.snapshot.listed import model_id
    from steelyard.catalogue.whole import whole
    from steelyard.errors import InputError, Problem

    listed = {model_id(one.name) for one in read}
    names, problems = set(), []
    for text in models:
        name, model = model_id(text), load_catalogue().model(text)
        if model is None and name not in listed and (model := whole(load_catalogue()).model(text)) is None:
            what = f"no model is called {text!r}{nearest(name, (*sorted(listed), *load_catalogue().models))}"
            step = "`steelyard models scores` without --model lists all names that have scores"
            problems.append(Problem("unknown-model", what, next_step=step))
        names |= {name} | ({model.id, model_id(model.repository)} - {""} if model else set())
    if problems:
        raise InputError(problems)
    return names


def told(score: PublicScore) -> str:
    """One score with who said it, where and when."""
    said = "said by its maker" if score.self_reported else "measured by others"
    return f"{score.benchmark} {score.value:g} {score.unit}, {said} [{score.source}, {score.as_of}]"


def expectation(guess: Estimated) -> str:
    """What to expect before measuring."""
    from steelyard.quantities import Unknown

    if isinstance(guess, Unknown) or isinstance(guess.interval, Unknown):
        return f"expect: {guess}"
    low, high = guess.interval.low, guess.interval.high
    return f"expect {guess.value:.2f} ({low:.2f} to {high:.2f}): a guess, {guess.method}"


def _expected(
    models: Iterable[str], benchmark: str, read: Iterable[Scored], today: date
) -> list[tuple[str, str, Estimated]]:
    """(model, benchmark, guess) of each model named, over the models of its family."""
    from steelyard.catalogue.load import load_catalogue
    from steelyard.catalogue.scores.kept import by_name
    from steelyard.catalogue.scores.prior import prior
    from steelyard.catalogue.snapshot.listed import model_id

    named, catalogue = by_name(read), load_catalogue()
    found: list[tuple[str, str, Estimated]] = []
    for text in models:
        name = model_id(text)
        model = catalogue.model(text)
        kin = _kin(model, catalogue) if model else ()
        family = {model_id(one.repository) or one.id for one in kin} | {one.id for one in kin}
        own = named.get(name, ())
        for on in sorted({score.benchmark for score in own if benchmark.lower() in score.benchmark.lower()}):
            others = [
                score.value
                for other in sorted(family - {name})
                for score in named.get(other, ())
                if score.benchmark == on and score.unit == "share"
            ]
            found.append((text, on, prior([score for score in own if score.benchmark == on], others, today)))
    return found


def _kin(model: Model, catalogue: Catalogue) -> tuple[Model, ...]:
    """Models of one vendor whose families begin alike: Llama 3.1 and Llama 3.3, GPT-4o and GPT-4.1."""
    stem = FAMILY.match(model.family)
    return tuple(
        one
        for one in catalogue.models.values()
        if one.vendor == model.vendor and stem is not None and one.family.startswith(stem.group())
    )
