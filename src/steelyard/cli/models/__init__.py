"""`steelyard models`: what can be had and what is known of it. One command a file, imported on first use."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "list": "listing",
    "show": "show",
    "compare": "compare",
    "get": "get",
    "refresh": "refresh",
    "scores": "scores",
}
"""Each command NAME and the module that has it as `NAME_command`."""


class Commands(click.Group):
    """The commands of the group; `steelyard.cli.models.MODULE` is imported when one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(
            importlib.import_module(f"steelyard.cli.models.{COMMANDS[cmd_name]}"), f"{cmd_name}_command"
        )
        return found


@click.group(cls=Commands)
def command() -> None:
    """List and compare models, show what is known of one, get weights, refresh prices, read public scores."""
