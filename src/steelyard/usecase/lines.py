"""YAML without its traps, and the line of every key and value.

PyYAML's parser with our own resolver: only `true` and `false` are booleans (`NO` is Norway), nothing is read in
base 60 or as an octal, dates stay strings, `1e6` is a number and `_` may stand between digits. Keys are
always text. Aliases and tags are refused: a study file needs neither, and both have their dangers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import yaml

from steelyard.errors import InputError, Problem

Data: TypeAlias = "bool | int | float | str | list[Data] | dict[str, Data] | None"
Place: TypeAlias = tuple[str | int, ...]

MAX_DEPTH = 32
MAX_DIGITS = 40
LONGEST = 300
_TAG = "tag:yaml.org,2002:"
_DIGITS = r"(?:0|[1-9][0-9]*(?:_[0-9]+)*)"
_FRACTION = r"\.[0-9]+(?:_[0-9]+)*"
_EXPONENT = r"[eE][-+]?[0-9]+"
_SCALARS = {
    "bool": r"true|false",
    "null": r"|~|null",
    "int": rf"[-+]?{_DIGITS}",
    "float": rf"[-+]?(?:{_DIGITS}(?:{_FRACTION}|\.)|{_FRACTION}|{_DIGITS}(?=[eE]))(?:{_EXPONENT})?",
}
_ALIAS = "a value that starts with * is an alias"
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # "\\ud800" in double quotes: no text that can be written or sent
_NEEDS_QUOTES = re.compile(r"(?:^|[:\-,\[{]\s+|^\s*)(?:>=?\s*[^\s|+-]|[@%`*&!])")


@dataclass(frozen=True)
class Document:
    """Plain data, the 1-based line of every place in it, and the mistakes that did not stop the reading."""

    data: Data
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...]
    unread: frozenset[Place] = frozenset()
    """Places where a problem has been told already; what stands there is not worth a second one."""

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place around it that exists (a missing key has no line)."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(text: str, name: str) -> Document:
    """Parse one document. Syntax errors raise InputError at once; `name` is the file's name in messages."""
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise InputError(_syntax_problem(error, text, name)) from None
    except (ValueError, OverflowError) as error:  # PyYAML does not check the code point of "\UFFFFFFFF"
        raise InputError(Problem("study-not-yaml", f"cannot be read as YAML: {error}", name)) from None
    finally:
        if loader is not None:
            loader.dispose()
    reader = _Reader(name)
    data = reader.value(node, ()) if node is not None else None
    return Document(data, reader.lines, tuple(reader.problems), frozenset(reader.unread))


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012  (PyYAML's own protocol)
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, _ALIAS, mark)
        if self.depth >= MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)  # type: ignore[arg-type]
        finally:
            self.depth -= 1


for _kind, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), None)


class _Reader:
    """Turns nodes into plain data, noting lines and collecting mistakes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self.unread: set[Place] = set()

    def value(self, node: yaml.Node, place: Place) -> Data:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*place, number)) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, place)
        what = f"the tag {node.tag!r} is not known"
        self.wrong(node, place, Problem("study-not-yaml", what, next_step="leave the tag out"))
        return None

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = Problem("study-not-yaml", "a key must be text", next_step="put a text with braces in quotes")
                self.wrong(key, place, problem)
                continue
            name = _whole(key)
            here = (*place, name)
            if name in found:
                what = f"the key {name!r} stands twice (first in line {self.lines[here]})"
                self.wrong(key, place, Problem("study-duplicate-key", what, next_step="remove one of them"))
                continue
            if _HALF_CHARACTER.search(name):
                self.wrong(key, here, _half_character(name))
                continue
            self.lines[here] = key.start_mark.line + 1
            found[name] = self.value(item, here)
        return found

    def scalar(self, node: yaml.ScalarNode, place: Place) -> Data:
        text = _whole(node)
        kind = node.tag.removeprefix(_TAG)
        if _HALF_CHARACTER.search(text):
            self.wrong(node, place, _half_character(text))
            return None
        if kind == "str":
            return text
        if kind not in _SCALARS or not re.fullmatch(_SCALARS[kind], text):
            what = f"{text!r} cannot be read as {node.tag!r}"
            self.wrong(node, place, Problem("study-not-yaml", what, next_step="leave the tag out"))
            return None
        if kind == "int":
            return int(text) if len(text) <= MAX_DIGITS else float(text)
        if kind == "float":
            return float(text)
        return {"true": True, "false": False}.get(text)

    def wrong(self, node: yaml.Node, place: Place, problem: Problem) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}"
        self.problems.append(replace(problem, what=clipped(problem.what), where=where))
        self.unread.add(place)


def clipped(text: str) -> str:
    """The text, or as much of it as a message has room for."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """PyYAML's message in its place, with the advice that helps in nine cases of ten: quotes, or spaces for tabs."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        what = f"the character U+{error.character:04X} may not stand in YAML"
        next_step = "remove the character" if error.character else "save the file as text in UTF-8"
        return Problem("study-not-yaml", what, f"{name}:{line}", next_step=next_step)
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    if what.startswith("but "):
        what = f"{getattr(error, 'context', '')}, {what}"
    if mark is None:
        return Problem("study-not-yaml", f"cannot be read as YAML: {what}", name)
    rows = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)  # the line breaks that PyYAML counts
    row = rows[mark.line] if mark.line < len(rows) else ""
    next_step = "check colons, brackets and indentation near this line"
    if "\\t" in what or row[: mark.column + 1].strip(" ").startswith("\t"):
        next_step = "indent with spaces, not with tabs"
    elif what == _ALIAS:
        next_step = "put the text in quotes; a study file has no aliases, so write the value out"
    elif (
        _NEEDS_QUOTES.search(row) or "mapping values are not allowed" in what or row[mark.column :][:1] in tuple("@%`")
    ):
        next_step = _quoted(row)
    return Problem("study-not-yaml", f"cannot be read as YAML: {what}", f"{name}:{mark.line + 1}", next_step=next_step)


def _whole(node: yaml.ScalarNode) -> str:
    r"""The text, with JSON's pairs of escapes ("\ud83d\udce6") as the characters that they mean."""
    text: str = node.value
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _half_character(text: str) -> Problem:
    return Problem("study-not-yaml", f"{text!r} holds half a character", next_step="write the character itself")


def _quoted(row: str) -> str:
    """The advice, with the row as it should be where it is a plain `key: value`."""
    match = re.fullmatch(r"\s*(?:- )?([\w.-]+):\s+([^\"'\[#\\]+?)\s*(?:#.*)?", row)
    if match and not match[2].startswith("{"):
        return f'put it in quotes: {match[1]}: "{match[2]}"'
    return 'put the text in quotes, as in accuracy: ">= 0.60"' if ">" in row else "put the text in quotes"
