"""The command line: one verb a file. Verbs are imported when they are used."""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

from steelyard import __version__
from steelyard.errors import Exit, SteelyardError

VERBS = ("run", "init", "report", "serve", "models", "licence", "schema", "doctor", "version")


class Verbs(click.Group):
    """The group of all verbs; `steelyard.cli.VERB:command` is imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"steelyard.cli.{cmd_name}").command
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="steelyard %(version)s")
def app() -> None:
    """Which model should my team choose, open or proprietary?

    Measures candidates on your own data, judges their licences for your use, prices them at your
    workload, and says which one to take, how sure that is, and what would change the answer.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a verb and leave with its exit code; a user's mistake is a message, never a traceback."""
    try:
        code = app.main(args=arguments, prog_name="steelyard", standalone_mode=False)
    except SteelyardError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt) as stop:
        # click makes an Abort of Ctrl-C too; at a question, where nothing is measured yet, without a cause
        measuring = isinstance(stop, KeyboardInterrupt) or isinstance(stop.__cause__, KeyboardInterrupt)
        kept = "interrupted: what was measured is kept; the same command goes on from here"
        click.echo(kept if measuring else "stopped before anything was done", err=True)
        sys.exit(Exit.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else Exit.DONE)
