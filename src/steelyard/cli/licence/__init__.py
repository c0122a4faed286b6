"""`steelyard licence`: what terms say, and what they say to your use. One command a file, imported on first use."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "judge": "judge",
    "list": "terms",
    "matrix": "matrix",
    "questions": "questions",
    "recognise": "recognise",
    "show": "terms",
}
"""Each command NAME and the module that has it as `NAME_command`."""


class Commands(click.Group):
    """The commands of the group; `steelyard.cli.licence.MODULE` is imported when one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(
            importlib.import_module(f"steelyard.cli.licence.{COMMANDS[cmd_name]}"), f"{cmd_name}_command"
        )
        return found


@click.group(cls=Commands)
def command() -> None:
    """List the licences that are encoded, show their clauses, judge models for a use, name the terms of files."""
