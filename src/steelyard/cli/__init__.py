"""The command line: one verb a file. Verbs are imported when they are used."""

from __future__ import annotations

import sys
from io import StringIO
from typing import NoReturn

import click

from steelyard import __version__
from steelyard.cli.group import Group
from steelyard.cli.rim import release, unforeseen
from steelyard.cli.say import say
from steelyard.errors import Exit, NotWritable, Problem, SteelyardError

INTERRUPTED = "interrupted: what was measured is kept; the same command goes on from here"
VERBS = (
    "run",
    "init",
    "report",
    "serve",
    "models",
    "licence",
    "size",
    "cost",
    "power",
    "schema",
    "doctor",
    "explain",
    "version",
)


@click.group(
    cls=Group,
    places={verb: f"steelyard.cli.{verb}:command" for verb in VERBS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="steelyard %(version)s")
def app() -> None:
    """Which model should my team choose, open or proprietary?

    Measures candidates on your own data, judges their licences for your use, prices them at your
    workload, and says which one to take, how sure that is, and what would change the answer.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a verb and leave with its exit code; whatever goes wrong is a message, never a traceback."""
    code = _outcome(arguments)
    release(sys.stdout)
    release(sys.stderr)
    sys.exit(code)


def _outcome(arguments: list[str] | None) -> int:
    try:
        code = app.main(args=arguments, prog_name="steelyard", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else Exit.DONE
    except SteelyardError as error:
        return _failed(error)
    except click.ClickException as error:
        text = StringIO()
        error.show(file=text)
        say(text.getvalue(), err=True)
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt) as stop:
        # click makes an Abort of Ctrl-C too; at a question, where nothing is measured yet, without a cause
        measuring = isinstance(stop, KeyboardInterrupt) or isinstance(stop.__cause__, KeyboardInterrupt)
        say(INTERRUPTED if measuring else "stopped before anything was done", err=True)
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click and rich leave the program when nobody reads stdout any more
        return Exit.READER_LEFT
    except Exception as error:  # the rim: nothing is above it but Python's own traceback
        if isinstance(error, OSError) and error.filename is None and not _stdout_works():
            return _failed(NotWritable(_stdout_problem(error)))
        return _failed(SteelyardError(unforeseen(error)))


def _failed(error: SteelyardError) -> Exit:
    say(f"error: {error}", err=True)
    return error.exit_code


def _stdout_works() -> bool:
    """Whether a line can still be written: an error on the way to stdout does not say where it happened."""
    try:
        if sys.stdout is not None:
            print(flush=True)  # noqa: T201
    except OSError:
        return False
    return True


def _stdout_problem(error: OSError) -> Problem:
    return Problem(
        slug="stdout-not-writable",
        what=f"the result cannot be written to standard output: {error.strerror or error}",
        next_step="send it elsewhere; what was measured is kept, and `steelyard report` tells a decision again",
    )
