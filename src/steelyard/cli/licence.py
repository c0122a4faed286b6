"""`steelyard licence`: what terms say, and what they say to your use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.say import say, say_json
from steelyard.errors import GateFailed, InputError, Problem

if TYPE_CHECKING:
    from steelyard.catalogue.model import Candidate
    from steelyard.licences import Verdict
    from steelyard.licences.clauses import Condition
    from steelyard.quantities import Unknown
    from steelyard.usecase import Use, Workload
    from steelyard.usecase.case import Purpose

NOT_ADVICE = "Not legal advice: read the clause itself, and ask a lawyer where it matters."
PURPOSES = ("evaluate", "research", "internal", "product", "hosted-service")
STRICTNESS = ("conditional", "unknown", "forbidden")


@click.group()
def command() -> None:
    """List the licences that are encoded, show their clauses, judge models for a use."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_licences(as_json: bool) -> None:
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
        _print_json({"licences": rows})
        return
    from steelyard.cli.table import print_table

    print_table(("licence", "name", "revisions", "read", "on"), rows)


@command.command()
@click.argument("licence")
@click.option("--revision", default="", help="A revision; the newest encoded one otherwise.")
def show(licence: str, revision: str) -> None:
    """Show the clauses of LICENCE as they are encoded: section, effect, condition, duty, question."""
    from steelyard.catalogue.ids import nearest
    from steelyard.licences.load import load_licences
    from steelyard.quantities import Unknown

    licences = load_licences()
    found = licences.get(licence, revision)
    if isinstance(found, Unknown):
        known = tuple(licences.by_id)
        raise InputError(Problem("unknown-licence", found.reason + nearest(licence, known), "", ", ".join(known)))
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


@command.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--study", type=click.Path(path_type=Path), help="Judge the candidates of a study for its use.")
@click.option(
    "--purpose", type=click.Choice(PURPOSES), default=None, help="What it is for [default: the study's, else product]."
)
@click.option("--commercial/--no-commercial", default=True, show_default=True)
@click.option("--distribute", type=click.Choice(("none", "weights", "derivative", "application")), default="none")
@click.option(
    "--outputs-train", type=click.Choice(("none", "same-family", "other-models", "competing")), default="none"
)
@click.option("--role", type=click.Choice(("deployer", "end-user")), default="deployer")
@click.option("--already", type=click.Choice(("registered", "subscription", "commercial-agreement")), multiple=True)
@click.option("--kind", type=click.Choice(("company", "non-profit", "academic", "government", "individual")))
@click.option("--domicile", help="Country where the organisation is established, e.g. DE.")
@click.option("--monthly-revenue", type=int, help="US dollars, all affiliates included.")
@click.option("--users-in", default="", help="Countries of the users, e.g. DE,FR.")
@click.option(
    "--users-at", multiple=True, metavar="DATE=N", help="Active users of the group in the month of a release."
)
@click.option("--field", default="", help="Field of use, e.g. customer-support.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fail-on", type=click.Choice(STRICTNESS), help="Exit with 3 if a verdict is as strict as this.")
def judge(
    models: tuple[str, ...],
    study: Path | None,
    purpose: Purpose | None,
    as_json: bool,
    fail_on: str | None,
    **options: object,
) -> None:
    """Judge MODELs, or the candidates of a study, for an intended use: verdict, clause, duties, questions."""
    from datetime import UTC, datetime

    from steelyard.licences.judge import judge_candidate

    if models and study:
        raise click.UsageError("name models or a study, not both")
    if not models and not study:
        raise click.UsageError("name the models to judge, or a study with --study STUDY")
    at = datetime.now(UTC).date()
    candidates, use, workload = _of_study(study) if study else _of_options(models, options)
    verdicts = [(candidate, judge_candidate(candidate, use, workload, at, purpose=purpose)) for candidate in candidates]
    if as_json:
        from dataclasses import asdict

        rows = [{"candidate": candidate.id, **asdict(verdict)} for candidate, verdict in verdicts]
        _print_json({"judged_at": at.isoformat(), "note": NOT_ADVICE, "verdicts": rows})
    else:
        for candidate, verdict in verdicts:
            _print_verdict(candidate, verdict)
        say(NOT_ADVICE)
    if fail_on:
        failing = STRICTNESS[STRICTNESS.index(fail_on) :]
        failed = [candidate.id for candidate, verdict in verdicts if verdict.status in failing]
        if failed:
            raise GateFailed(Problem("licence-gate-failed", f"--fail-on {fail_on}: {', '.join(failed)}"))


def _of_study(study: Path) -> tuple[list[Candidate], Use, Workload | Unknown]:
    from steelyard.catalogue.load import load_catalogue
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    case = load_study(study)
    return list(candidates_of(case, load_catalogue())), case.use, case.workload


def _of_options(models: tuple[str, ...], options: dict[str, object]) -> tuple[list[Candidate], Use, Workload | Unknown]:
    from steelyard.quantities import Unknown

    return _resolve_all(models), _use_of(options), Unknown("no study was given")


OPTION_OF = {
    "domicile": "--domicile",
    "monthly_revenue_usd": "--monthly-revenue",
    "territories": "--users-in",
    "monthly_active_at": "--users-at",
}


def _use_of(options: dict[str, object]) -> Use:
    """The use, held to the rules of a study file's `use`; InputError names each option that breaks one."""
    from pydantic import ValidationError

    from steelyard.usecase.load import use_of
    from steelyard.usecase.mistakes import problem_of
    from steelyard.usecase.schema import UsePart

    revenue = options["monthly_revenue"]
    organisation = {
        "kind": options["kind"],
        "domicile": options["domicile"],
        "monthly_revenue_usd": revenue,
        "affiliates_included": None if revenue is None else True,
    }
    users = {
        "territories": [code.strip() for code in str(options["users_in"]).split(",") if code.strip()],
        "monthly_active_at": dict(map(_dated_count, _texts(options["users_at"]))),
    }
    fields = {name: options[name] for name in ("commercial", "distribute", "outputs_train", "role", "field")}
    already = _texts(options["already"])
    try:
        part = UsePart.model_validate(
            fields | {"purpose": "product", "already": already, "organisation": organisation, "users": users}
        )
    except ValidationError as error:
        raise InputError(
            [
                replace(problem_of(details, UsePart), where=OPTION_OF[str(details["loc"][1])])
                for details in error.errors(include_url=False)
            ]
        ) from None
    return use_of(part)


def _asked(condition: Condition) -> str:
    """Only the parts that ask: "purpose=product|hosted-service, commercial=True"."""
    from dataclasses import fields

    parts = {part.name: getattr(condition, part.name) for part in fields(condition)}
    return ", ".join(
        f"{name}={'|'.join(value) if isinstance(value, tuple) else value}"
        for name, value in parts.items()
        if value not in ((), None, "")
    )


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, tuple) else []


def _dated_count(text: str) -> tuple[str, int]:
    from datetime import date

    day, _, count = text.partition("=")
    try:
        return date.fromisoformat(day).isoformat(), int(count)
    except ValueError:
        raise click.UsageError(f"--users-at {text}: write DATE=N, e.g. 2024-09-25=15000") from None


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


def _print_verdict(candidate: Candidate, verdict: Verdict) -> None:
    terms = f"{verdict.licence_name} {verdict.revision}".strip() or "no terms known"
    colour = {"allowed": "green", "conditional": "yellow"}.get(verdict.status, "red")
    say(f"{candidate.id}: {verdict.status} under {terms}", colour=colour, bold=True)
    for reason in verdict.reasons:
        where = f"{reason.licence} {reason.clause}".strip()
        say(f"  {reason.effect}: {reason.text} ({where})")
    for name, texts in (("duty", verdict.duties), ("question", verdict.questions), ("not read", verdict.not_read)):
        for text in texts:
            say(f"  {name}: {text}")
    if verdict.source:
        say(f"  as of {verdict.as_of}: {verdict.source}")


def _print_json(document: dict[str, object]) -> None:
    import orjson

    say_json(orjson.dumps({"schema_version": "1.0", **document}, option=orjson.OPT_INDENT_2))
