"""`steelyard version`: the versions that a result depends on."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """Print the versions of Steelyard, Python and the libraries that a result depends on."""
    import orjson

    from steelyard.cli.environment import versions
    from steelyard.cli.say import say, say_json

    found = versions()
    if as_json:
        say_json(orjson.dumps({"schema_version": "1.0", "versions": found}))
        return
    for name, version in found.items():
        say(f"{name} {version}")
