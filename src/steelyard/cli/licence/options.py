"""Options that say a use: the fields of a study file's `use`, held to its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.usecase import Use

Command = TypeVar("Command", bound=Callable[..., Any])

WHO = (
    click.option("--kind", type=click.Choice(("company", "non-profit", "academic", "government", "individual"))),
    click.option("--domicile", help="Where the organisation is established: countries or EU, e.g. DE or DE,US."),
    click.option("--annual-revenue", type=int, help="US dollars a year, all affiliates included."),
    click.option("--monthly-revenue", type=int, help="US dollars a month, all affiliates included."),
    click.option("--product-revenue", type=int, help="US dollars a month that the product earns."),
    click.option("--qualified-non-profit/--no-qualified-non-profit", default=None),
    click.option("--users", type=int, help="Monthly active users of the product, now."),
    click.option("--users-at-release", type=int, help="Of all products of the group, before the model's release."),
    click.option("--users-at", multiple=True, metavar="DATE=N", help="Of all products of the group, on a day."),
    click.option("--users-in", default="", help="Countries of the users, e.g. DE,FR."),
    click.option("--already", type=click.Choice(("registered", "subscription", "commercial-agreement")), multiple=True),
)
WHAT = (
    click.option("--commercial/--no-commercial", default=True, show_default=True),
    click.option("--distribute", type=click.Choice(("none", "weights", "derivative", "application")), default="none"),
    click.option(
        "--outputs-train", type=click.Choice(("none", "same-family", "other-models", "competing")), default="none"
    ),
    click.option("--role", type=click.Choice(("deployer", "end-user")), default="deployer"),
    click.option("--tuned/--no-tuned", default=None, help="Whether the model will be fine-tuned."),
    click.option("--field", default="", help="Field of use, e.g. customer-support."),
)


def with_options(*groups: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    """The command with these options, in their order."""

    def add(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add


NAMES = (
    "kind", "domicile", "annual_revenue", "monthly_revenue", "product_revenue", "qualified_non_profit", "users",
    "users_at_release", "users_at", "users_in", "already", "commercial", "distribute", "outputs_train", "role", "tuned",
    "field",
)  # fmt: skip


def stated() -> tuple[str, ...]:
    """Which options of the use stand on the command line of the running command."""
    from click.core import ParameterSource

    source = click.get_current_context().get_parameter_source
    return tuple(f"--{name.replace('_', '-')}" for name in NAMES if source(name) is ParameterSource.COMMANDLINE)


def refuse_beside(source: str) -> None:
    """UsageError where options state a use that `source` states already: they would be passed over."""
    if stated():
        raise click.UsageError(f"{', '.join(stated())}: {source} states the use; leave it out, or the options")


OPTION_OF = {
    "kind": "--kind",
    "domicile": "--domicile",
    "annual_revenue_usd": "--annual-revenue",
    "monthly_revenue_usd": "--monthly-revenue",
    "product_monthly_revenue_usd": "--product-revenue",
    "territories": "--users-in",
    "monthly_active": "--users",
    "monthly_active_at_release": "--users-at-release",
    "monthly_active_at": "--users-at",
}


def use_of_options(options: dict[str, Any]) -> Use:
    """The use; InputError names each option that breaks a rule. What is not an option here is not said."""
    from pydantic import ValidationError

    from steelyard.usecase.load import use_of
    from steelyard.usecase.mistakes import problem_of
    from steelyard.usecase.schema import UsePart

    revenues = (options["annual_revenue"], options["monthly_revenue"])
    organisation = {
        "kind": options["kind"],
        "domicile": None if options["domicile"] is None else options["domicile"].split(","),
        "annual_revenue_usd": options["annual_revenue"],
        "monthly_revenue_usd": options["monthly_revenue"],
        "product_monthly_revenue_usd": options["product_revenue"],
        "affiliates_included": True if any(revenue is not None for revenue in revenues) else None,
        "qualified_non_profit": options["qualified_non_profit"],
    }
    users = {
        "territories": [code.strip() for code in options["users_in"].split(",") if code.strip()],
        "monthly_active": options["users"],
        "monthly_active_at_release": options["users_at_release"],
        "monthly_active_at": dict(map(_dated_count, options["users_at"])),
    }
    names = ("commercial", "distribute", "outputs_train", "role", "tuned", "field")
    said = {name: options[name] for name in names if options.get(name) is not None}
    said |= {"purpose": "product", "already": list(options["already"])}
    said |= {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in (("organisation", organisation), ("users", users))
    }
    try:
        return use_of(UsePart.model_validate({"commercial": True} | said))
    except ValidationError as error:
        raise InputError(
            [
                replace(problem_of(details, UsePart), where=OPTION_OF[str(details["loc"][1])])
                for details in error.errors(include_url=False)
            ]
        ) from None


def _dated_count(text: str) -> tuple[str, int]:
    from datetime import date

    day, _, count = text.partition("=")
    try:
        return date.fromisoformat(day).isoformat(), int(count)
    except ValueError:
        raise click.UsageError(f"--users-at {text}: write DATE=N, e.g. 2024-09-25=15000") from None
