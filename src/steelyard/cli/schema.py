"""`steelyard schema`: the study file's JSON Schema, for editors."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of the study file, for completion and checks in your editor."""
    import orjson

    from steelyard.cli.say import say_json
    from steelyard.usecase.schema import study_json_schema

    say_json(orjson.dumps(study_json_schema(), option=orjson.OPT_INDENT_2))
