"""`steelyard size`: what a model needs and what a machine gives. One command a file, imported on first use."""

from __future__ import annotations

import click

from steelyard.cli.group import Group

PLACES = {
    "batch": "steelyard.cli.size.batch:batch_command",
    "show": "steelyard.cli.size.show:show_command",
    "fit": "steelyard.cli.size.fit:fit_command",
    "calibrate": "steelyard.cli.size.calibrate:calibrate_command",
}


@click.group(cls=Group, places=PLACES)
def command() -> None:
    """Tell whether a model fits a machine, how many it takes, and how fast it would be. Estimates."""
