"""`steelyard report`: the last decision again, as HTML, Markdown or JSON."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.errors import InputError, Problem

OUTPUT = ".steelyard"


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--html", "form", flag_value="html", default=True, help="One self-contained page (the default).")
@click.option("--md", "form", flag_value="md", help="Markdown.")
@click.option("--json", "form", flag_value="json", help="The decision itself, one JSON document.")
@click.option("--output", "-o", default="", metavar="FILE", help="Where to write; - is standard output.")
def command(study: Path, form: str, output: str) -> None:
    """Write the report of the last run of STUDY (a study file, or a folder with study.yaml).

    Measures nothing and costs nothing. Without --output it goes to STUDY's folder as .steelyard/report.html
    (or report.md); JSON goes to standard output.
    """
    from steelyard.decision.store import load, to_json
    from steelyard.files import write_whole

    folder = output_folder(study)
    decision = load(folder)
    if form == "json":
        content = to_json(decision)
    else:
        from steelyard.report.render import html, markdown

        content = (html(decision) if form == "html" else markdown(decision)).encode()
    if output == "-" or (form == "json" and not output):
        click.echo(content, nl=False)
        return
    path = Path(output) if output else folder / f"report.{form}"
    write_whole(path, content)
    click.echo(path)


def output_folder(study: Path) -> Path:
    """The folder where the runs of a study leave what they found."""
    if not study.exists():
        raise InputError(
            Problem(
                slug="study-not-found",
                what="there is no such study",
                where=str(study),
                allowed="a study file (YAML), or a folder with study.yaml",
                next_step="check the path, or make a study with: steelyard init",
            )
        )
    return (study if study.is_dir() else study.parent) / OUTPUT
