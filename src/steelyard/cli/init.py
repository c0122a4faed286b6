"""`steelyard init`: a few questions, then a commented study file."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from steelyard.cli.say import say
from steelyard.visible import visible

if TYPE_CHECKING:
    from steelyard.usecase.guess import Column, Guess
    from steelyard.usecase.starter import Answers

LONGEST_SHOWN = 50
ORGANISATIONS = ("company", "non-profit", "academic", "government", "individual")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The labelled data.")
@click.option("--force", is_flag=True, help="Overwrite a study.yaml that is there.")
@click.option("--yes", is_flag=True, help="Ask nothing: take every guess and default.")
def command(folder: Path, data: Path | None, force: bool, yes: bool) -> None:
    """Write a study file for your data: FOLDER/study.yaml, with comments, ready to run."""
    from steelyard.errors import InputError, Problem
    from steelyard.usecase.load import STUDY_FILE, load_study
    from steelyard.usecase.read import load_dataset
    from steelyard.usecase.starter import study_text

    study = folder / STUDY_FILE
    if study.exists() and not force:
        next_step = "name another folder, or overwrite it with --force"
        raise InputError(Problem("init-exists", "there is a study already", str(study), next_step=next_step))
    answers = _answers(folder, data or _data_file(folder, yes), yes)
    with _undone_if_it_fails(study):
        study.write_text(study_text(answers), "utf-8")
        found = load_dataset(load_study(study).data)
    say(
        f"{study} is written: {_counted(len(found.labels), 'label')}, "
        f"{_counted(len(found.dev), 'sample')} to choose on, {len(found.test)} sealed for the test, "
        f"{_counted(len(found.odd_rows), 'odd row')}, {_counted(len(found.leaks), 'duplicate')} across the two."
    )
    say(f"Next: steelyard run {shlex.quote(str(folder))}")


@contextmanager
def _undone_if_it_fails(study: Path) -> Iterator[None]:
    """The study's folder is there inside; after an error everything is as it was before."""
    before = study.read_bytes() if study.exists() else None
    made = [folder for folder in study.parents if not folder.exists()]
    study.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:  # Ctrl-C at a question too must leave nothing behind; raised again below
        if before is None:
            study.unlink(missing_ok=True)
        else:
            study.write_bytes(before)
        for folder in made:
            folder.rmdir()
        raise


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _data_file(folder: Path, yes: bool) -> Path:
    """The only data file of the folder, or the one that is named."""
    from steelyard.errors import InputError, Problem
    from steelyard.usecase.records import READABLE

    found = sorted(file for file in folder.glob("*") if file.suffix.lower() in READABLE and file.is_file())
    only = found[0] if len(found) == 1 else None
    if yes and only is None:
        what = f"there are {len(found)} data files to choose from" if found else "there is no data file"
        allowed = ", ".join(file.name for file in found) or f"a file of {', '.join(READABLE)}"
        raise InputError(Problem("init-data-file", what, str(folder), allowed, "name it with --data FILE"))
    if yes and only is not None:
        return only
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    named: Path = _ask("Data file (labelled rows, to measure candidates on)", default=only, type=kind)
    return named


def _ask(question: str, default: object = None, **how: Any) -> Any:
    """click's prompt; the default may come from the data."""
    shown = "" if default in (None, "") else f" [{visible(str(default))}]"
    return click.prompt(f"{question}{shown}", default=default, show_default=False, **how)


def _answers(folder: Path, data: Path, yes: bool) -> Answers:
    from steelyard.usecase.guess import describe, guess_columns
    from steelyard.usecase.records import read_records
    from steelyard.usecase.starter import Answers

    columns = describe(read_records(data))
    guess = guess_columns(columns)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._")[:64] or "study"
    file = os.path.relpath(data.parent.resolve() / data.name, folder.resolve())
    if yes:
        return Answers(name, file, guess)
    _show(columns)
    return _asked(Answers(name, file, _confirmed(guess, columns)), folder)


def _show(columns: Sequence[Column]) -> None:
    """The columns with what was seen in them, so that a wrong guess is noticed."""
    names = [visible(column.name, LONGEST_SHOWN) for column in columns]
    width = max(map(len, names))
    for name, column in zip(names, columns, strict=True):
        example = visible(" ".join(column.example.split()), LONGEST_SHOWN)
        say(f"  {name:{width}}  {column.distinct:>5} different values, such as: {example}")


def _confirmed(guess: Guess, columns: Sequence[Column]) -> Guess:
    names = click.Choice([column.name for column in columns])
    question = "Column with the input text (the longest, by the look of it)"
    text = _ask(question, default=guess.input, type=names, show_choices=False)
    question = "Column with the right answer (few different values)"
    target = _ask(question, default=guess.target, type=names, show_choices=False)
    return replace(guess, input=text, target=target)


def _asked(answers: Answers, folder: Path) -> Answers:
    """The same answers after everything but data and columns has been asked; each question says why."""
    from steelyard.providers.protocol import DataClass
    from steelyard.usecase.case import Purpose
    from steelyard.usecase.fields import COUNTRY, NAME

    countries = rf"({COUNTRY.strip('^$')}(, *|$))*"
    say = "name letters, digits, dots and hyphens only"
    code = "two capital letters a country, as in DE, FR"
    name = _text("Name of the study (the endpoint will answer to it)", answers.name, NAME, say)
    test_file = _test_file(folder)
    purpose = _choice("Purpose (licences treat them differently)", get_args(Purpose), answers.purpose)
    commercial = click.confirm("Commercial, directly or not (some licences forbid it)?", default=answers.commercial)
    kind = _choice("Organisation (some licences are free for some kinds only)", ORGANISATIONS, ORGANISATIONS[0])
    domicile = _text(
        "Its country (some licences exclude regions; empty: not said)", "", rf"({COUNTRY.strip('^$')})?", code
    )
    served = _text("Countries of your users (for the same reason; empty: not said)", "", countries, code)
    data_class = _choice("Class of the data (decides where they may be sent)", get_args(DataClass), answers.data_class)
    requests = click.prompt(
        "Requests a day (the monthly cost is for them)", answers.requests_per_day, type=click.IntRange(1)
    )
    return replace(
        answers,
        name=name,
        test_file=test_file,
        purpose=cast(Purpose, purpose),
        commercial=commercial,
        organisation=kind,
        domicile=domicile,
        territories=tuple(re.findall(r"[A-Z]{2}", served)),
        data_class=cast(DataClass, data_class),
        requests_per_day=requests,
        candidates=_candidates(answers.candidates),
    )


def _choice(question: str, allowed: tuple[str, ...], default: str) -> str:
    return str(click.prompt(question, default=default, type=click.Choice(allowed)))


def _text(question: str, default: str, pattern: str, rule: str) -> str:
    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text.strip()):
            raise click.BadParameter(rule)
        return text.strip()

    return str(_ask(question, default=default, value_proc=checked))


def _test_file(folder: Path) -> str:
    def checked(text: str) -> str:
        if text and not Path(text).is_file():
            raise click.BadParameter(f"there is no file {text!r}")
        return os.path.relpath(Path(text).resolve(), folder.resolve()) if text else ""

    question = "Test file of its own (empty: 40% of the data are sealed for the test)"
    return str(click.prompt(question, default="", show_default=False, value_proc=checked))


def _candidates(default: tuple[str, ...]) -> tuple[str, ...]:
    from steelyard.catalogue.ids import parse_id
    from steelyard.errors import Problem

    def checked(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(text.replace(",", " ").split()))
        wrong = [found.what for found in map(parse_id, names) if isinstance(found, Problem)]
        if wrong or not names:
            raise click.BadParameter("; ".join(wrong) or "name at least one")
        return names

    question = "Candidates (these run on this machine, without a key)"
    named: tuple[str, ...] = click.prompt(question, default=", ".join(default), value_proc=checked)
    return named
