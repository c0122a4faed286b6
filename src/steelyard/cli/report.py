"""`steelyard report`: the last decision again, as HTML, Markdown or JSON."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.errors import InputError, Problem

OUTPUT = ".steelyard"


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--html", "as_html", is_flag=True, help="One self-contained page (the default).")
@click.option("--md", "as_md", is_flag=True, help="Markdown.")
@click.option("--json", "as_json", is_flag=True, help="The decision itself, one JSON document.")
@click.option("--output", "-o", default="", metavar="FILE", help="Where to write; - is standard output.")
def command(study: Path, as_html: bool, as_md: bool, as_json: bool, output: str) -> None:
    """Write the report of the last run of STUDY (a study file, or a folder with study.yaml).

    Measures nothing and costs nothing. Without --output it is written to STUDY's folder as .steelyard/report.html
    (or report.md) and the path is printed; JSON goes to standard output. To read Markdown at once: --md --output -
    """
    from steelyard.cli.say import say, say_json
    from steelyard.decision.store import load, to_json
    from steelyard.files import write_whole

    if as_html + as_md + as_json > 1:
        raise click.UsageError("name one of --html, --md and --json")
    form = "json" if as_json else "md" if as_md else "html"
    folder = output_folder(study)
    decision = load(folder)
    if form == "json":
        content = to_json(decision)
    else:
        from steelyard.report.render import html, markdown

        content = (html(decision) if form == "html" else markdown(decision)).encode()
    if form == "json" and output in ("", "-"):
        say_json(content)
        return
    if output == "-":
        click.echo(content, nl=False)
        return
    path = Path(output) if output else folder / f"report.{form}"
    write_whole(path, content)
    say(str(path))


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
