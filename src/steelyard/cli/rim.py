"""The rim of the program: what holds before a verb begins, and what is said of an error that nobody foresaw."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from steelyard.errors import Problem

if TYPE_CHECKING:
    import logging

KEPT = "what was measured is kept"
DEBUG = "STEELYARD_DEBUG"
"""A variable that, when set, lets everything through that libraries have to say."""


def prepare_process() -> None:
    """Once, before anything is printed or opened."""
    _open_closed_streams()
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # an emoji on a terminal that has none is no reason to end
    if os.environ.get(DEBUG):
        return
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None


def log_to_stderr() -> None:
    """One line a record of ours, without keys and escapes; other libraries' records are noise to a user."""
    import logging

    if logging.root.handlers:  # a program around this one has its own way
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter())
    debug = bool(os.environ.get(DEBUG))
    if not debug:
        handler.addFilter(lambda record: record.name.startswith(("steelyard", "uvicorn")))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.WARNING)
    logging.raiseExceptions = debug


def unforeseen(error: Exception) -> Problem:
    """What to tell of it. Its own words may hold data, so they stand in the traceback's file only."""
    place = _traceback_file(error)
    trace = f"; the traceback is in {place}" if place else ""
    if isinstance(error, MemoryError):
        return Problem(
            slug="out-of-memory",
            what="this machine has no memory left",
            next_step=f"stop other programs or leave large candidates out, then give the command again: {KEPT}",
        )
    if isinstance(error, OSError):
        return Problem(
            slug="system-refused",
            where=_what_was_refused(error),
            what=f"the operating system says: {error.strerror or type(error).__name__}",
            next_step=f"mend that and give the command again: {KEPT}{trace}",
        )
    return Problem(
        slug="internal-error",
        what=f"this is a bug in Steelyard: {type(error).__name__} in {_origin(error)}",
        next_step=f"report it; {KEPT}, and the same command goes on from there{trace}",
    )


def release(stream: TextIO | None) -> bool:
    """Whether all that was written to a stream got there. If not, the rest goes nowhere, so that Python can end."""
    if stream is None:
        return True
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return False
    return True


def _open_closed_streams() -> None:
    """A closed stdin, stdout or stderr is opened to nothing: the next file would get its number, and its output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _formatter() -> logging.Formatter:
    import logging

    from steelyard.cli.say import harmless

    class Harmless(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return harmless(super().format(record))

    return Harmless("%(levelname)s %(name)s: %(message)s")


def _what_was_refused(error: OSError) -> str:
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    if not names and isinstance(error, FileNotFoundError):
        try:
            Path.cwd()
        except FileNotFoundError:
            return "the current folder"
    return " and ".join(names)


def _origin(error: Exception) -> str:
    """The last place in the package that the error came through: "steelyard/trials/run.py, line 12 (one)"."""
    import traceback

    package = Path(__file__).parents[1]
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(package)
    ]
    if not frames:
        return "an unknown place"
    last = frames[-1]
    return f"{Path(last.filename).relative_to(package.parent)}, line {last.lineno} ({last.name})"


def _traceback_file(error: Exception) -> str:
    """Where the traceback was written, without keys and readable by its owner only; "" where it could not be."""
    import tempfile
    import traceback

    from steelyard.providers.keys import scrubbed

    with suppress(OSError, MemoryError):
        text = scrubbed("".join(traceback.format_exception(error)))
        descriptor, path = tempfile.mkstemp(prefix="steelyard-", suffix=".traceback")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return path
    return ""
