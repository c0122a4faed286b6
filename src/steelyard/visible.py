"""Text from outside made harmless to read: nothing invisible, nothing that reorders or steers a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")

LONGEST = 2_000
_JOINERS = "\u200c\u200d"  # needed to write Persian, Indic scripts and emoji


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Control, format and bidi characters as their code points, white space as one blank, length cut with a note.

    >>> visible("a\x1b[31mb\u202ec"), visible("two\nlines"), visible("abcdef", 4)
    ('a\\x1b[31mb\\u202ec', 'two lines', 'abc…')
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(_character(character) for character in text)


def visible_lines(text: str, between: str = "\n", longest: int = LONGEST) -> str:
    r"""The same for text of several lines, which stay lines, `between` them what marks them as one text.

    >>> visible_lines("one\r\ntwo\x07", "\n  ")
    'one\n  two\\x07'
    """
    return between.join(visible(line, longest) for line in text.splitlines())


def shown(value: T) -> T:
    """A frozen value with every text inside it made visible; everything else stays the very same."""
    return cast("T", _shown(value))


def hidden(character: str) -> bool:
    """Whether a reader would not see it, or it would change how others are seen."""
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or (kind == "Cf" and character not in _JOINERS)


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, tuple):
        return tuple(_shown(item) for item in value)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _shown(getattr(value, field.name)) for field in fields(value)})
    return value


def _character(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    if hidden(character):
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
