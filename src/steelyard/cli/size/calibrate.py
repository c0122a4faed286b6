"""`steelyard size calibrate`: what this machine's memory and processor can do."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import click

from steelyard.cli.say import say, say_json


@click.command("calibrate")
@click.option(
    "--write", type=click.Path(path_type=Path), metavar="STUDY", help="Put it into hardware.toml beside STUDY."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def calibrate_command(write: Path | None, as_json: bool) -> None:
    """Measure this machine's memory bandwidth and arithmetic, in a few seconds, for estimates on its processor.

    Prints the rows for hardware.toml, which `steelyard size` reads beside a study. Earlier measured rows are replaced,
    all others stay.
    """
    import orjson

    from steelyard.cli.report import output_folder
    from steelyard.files import write_whole
    from steelyard.sizing.accelerator_rows import read_rows
    from steelyard.sizing.accelerators import accelerators, own_hardware
    from steelyard.sizing.calibrate import calibrate, hardware_toml, into

    if write is not None:
        output_folder(write)  # there is such a study
    found = calibrate(datetime.now(UTC).date().isoformat())
    rows = hardware_toml(found)
    if write is not None:
        accelerators(write)  # a file with a mistake stays as it is
        path = own_hardware(write)
        content = into(path.read_text("utf-8") if path.exists() else "", rows)
        read_rows(tomllib.loads(content), str(path))
        write_whole(path, content.encode())
        say(f"written to {path}", err=True)
    if as_json:
        say_json(orjson.dumps({"schema_version": "1.0", "calibration": found}, option=orjson.OPT_INDENT_2))
    else:
        say(rows)
