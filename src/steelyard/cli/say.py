"""What a verb says: results on stdout, all else on stderr. Nothing in it steers a terminal or holds a key."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TextIO

import click

from steelyard.providers.keys import scrubbed
from steelyard.visible import hidden, visible_lines

LONGEST_LINE = 20_000


def say(text: str, *, err: bool = False, bold: bool = False, colour: str | None = None) -> None:
    """Print text of ours with values from anywhere in it, line by line.

    Raises OSError where stdout cannot be written. Telling on stderr is never worth an error.
    """
    said = harmless(text)
    if (bold or colour) and not os.environ.get("NO_COLOR"):
        said = click.style(said, fg=colour, bold=bold or None)
    if not err:
        click.echo(said)
        return
    with suppress(OSError):
        click.echo(said, err=True)


def say_json(document: bytes) -> None:
    """Print a JSON document: UTF-8 whatever the locale, with what a terminal would obey in JSON's own escapes."""
    text = re.sub(r"[^\x20-\x7e\n]", lambda match: _escaped(match.group()), document.decode())
    click.echo(text.rstrip("\n").encode())


def harmless(text: str) -> str:
    """Text of several lines without keys and without anything that a reader would not see."""
    return visible_lines(scrubbed(text), longest=LONGEST_LINE)


class Patient:
    """A text stream that never fails: a run is not lost because its progress cannot be told."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """All of it, or as much as can be written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As far as it goes."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if hidden(character) else character
