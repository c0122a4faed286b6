"""`steelyard licence`: what terms say, and what they say to your use. One command a file, imported on first use."""

from __future__ import annotations

import click

from steelyard.cli.group import Group

PLACES = {
    "judge": "steelyard.cli.licence.judge:judge_command",
    "list": "steelyard.cli.licence.terms:list_command",
    "matrix": "steelyard.cli.licence.matrix:matrix_command",
    "questions": "steelyard.cli.licence.questions:questions_command",
    "recognise": "steelyard.cli.licence.recognise:recognise_command",
    "show": "steelyard.cli.licence.terms:show_command",
}


@click.group(cls=Group, places=PLACES)
def command() -> None:
    """List the licences that are encoded, show their clauses, judge models for a use, name the terms of files."""
