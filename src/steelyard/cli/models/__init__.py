"""`steelyard models`: what can be had and what is known of it. One command a file, imported on first use."""

from __future__ import annotations

import click

from steelyard.cli.group import Group

PLACES = {
    "list": "steelyard.cli.models.listing:list_command",
    "show": "steelyard.cli.models.show:show_command",
    "compare": "steelyard.cli.models.compare:compare_command",
    "get": "steelyard.cli.models.get:get_command",
    "refresh": "steelyard.cli.models.refresh:refresh_command",
    "scores": "steelyard.cli.models.scores:scores_command",
}


@click.group(cls=Group, places=PLACES)
def command() -> None:
    """List and compare models, show what is known of one, get weights, refresh prices, read public scores."""
