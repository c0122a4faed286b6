"""Data files as records of text: JSONL, JSON, CSV, TSV. Rows that cannot be read are reported, never just dropped."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from steelyard.errors import InputError, Problem
from steelyard.usecase.dataset import OddRow

if TYPE_CHECKING:
    from _csv import Reader

JSON = (".jsonl", ".ndjson", ".json")
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
READABLE = (*JSON, *DELIMITERS)
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of a byte that is not UTF-8
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive, as Excel writes it",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x1f\x8b": "compressed with gzip",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
}
_BACKSLASHED_QUOTE = re.compile(r'\\"(?![,;\t|\r\n]|\Z)')
_DOUBLED_QUOTE = re.compile(r'(?<=[^,;\t|\n\\])""(?=[^,;\t|\n])')
_EXACT = 2.0**64  # JSON numbers from here on have lost digits, and two of them may have become the same

csv.field_size_limit(2**31 - 1)  # beyond the default of 131,072 characters a sound field would pass for a broken one


@dataclass(frozen=True, slots=True)
class Record:
    """One row as text: `row` is the 1-based line on which it starts. A null is left out of `values`."""

    row: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Records:
    """All usable rows of a file, its columns in the order of first appearance, and the odd rows."""

    columns: tuple[str, ...]
    rows: tuple[Record, ...]
    odd_rows: tuple[OddRow, ...]


class _Odd(Exception):
    """This row is not usable, and why."""


def read_records(file: Path, wanted: tuple[str, ...] = ()) -> Records:
    """Read a whole data file. `wanted` columns help to tell the delimiter of a CSV file, and must be text in JSONL.

    Bytes that are not UTF-8 make their row odd; a UTF-16 file is read by its byte-order mark. Blank lines are no
    rows. Raises InputError where the file as a whole cannot be read.
    """
    kind = file.suffix.lower()
    if kind not in READABLE:
        problem = Problem("data-format", "this kind of file cannot be read", file.name, ", ".join(READABLE), _EXPORT)
        raise InputError(problem)
    text = _text(file).replace("\r\n", "\n")
    lines = text.split("\n" if "\n" in text else "\r")
    if not any(line.strip() for line in lines):
        raise InputError(Problem("data-too-few", "the file is empty", file.name, next_step="put labelled rows into it"))
    return _json(file.name, text, lines, wanted) if kind in JSON else _table(file, lines, wanted)


_EXPORT = "export the data as JSONL (one JSON object a line) or CSV"


def why_unused(odd: Sequence[OddRow]) -> str:
    """The commonest reasons why rows were not used, for a message."""
    counts = Counter(row.reason for row in odd if not row.used)
    return "; ".join(f"{count} row{'s' if count > 1 else ''}: {reason}" for reason, count in counts.most_common(3))


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        next_step = "see that the file is there and may be read"
        problem = Problem("data-not-found", f"cannot be read: {error.strerror or error}", str(file), "", next_step)
        raise InputError(problem) from None
    for mark, kind in _OTHER_KINDS.items():
        if raw.startswith(mark):
            raise InputError(Problem("data-format", f"this is {kind}", file.name, ", ".join(READABLE), _EXPORT))
    if raw.startswith(_UTF16_MARKS):
        return raw.decode("utf-16", "replace")
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _json(name: str, text: str, lines: list[str], wanted: tuple[str, ...]) -> Records:
    """An array of objects, whose rows are numbered from 1, or else one object a line."""
    columns: dict[str, None] = {}
    rows: list[Record] = []
    odd: list[OddRow] = []
    array = _array(text)
    for number, item in enumerate(lines if array is None else array, 1):
        if isinstance(item, str) and array is None and not item.strip():
            continue
        try:
            found = _object(item if array is not None else _parsed(str(item), wanted))
            columns |= dict.fromkeys(found)
            values = {key: _as_text(key, value, key in wanted) for key, value in found.items() if value is not None}
        except _Odd as error:
            odd.append(OddRow(name, number, str(error), used=False))
        else:
            rows.append(Record(number, values))
    if odd and not columns:
        what = f"nothing here is a JSON object with a key ({why_unused(odd)})"
        raise InputError(Problem("data-format", what, name, "one JSON object a line, or one array of them", _EXPORT))
    return Records(tuple(columns), tuple(rows), tuple(odd))


def _array(text: str) -> list[object] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        found = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    return found if isinstance(found, list) else None


def _parsed(line: str, wanted: tuple[str, ...]) -> object:
    if NOT_UTF8.search(line):
        raise _Odd("not UTF-8: save the file as UTF-8")
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _Odd(f"not JSON: {error.msg} (column {error.colno})") from None
    for key in wanted:
        if line.count(f'"{key}"') > 1 and isinstance(found, dict) and _keys(line).count(key) > 1:
            raise _Odd(f"the key {key!r} stands twice")
    return found


def _keys(line: str) -> list[str]:
    """The keys of a JSON object as they are written: a parser keeps the last of two in silence."""
    try:
        return [key for key, _ in json.loads(line, object_pairs_hook=list)]
    except RecursionError:
        raise _Odd("nested too deep") from None


def _object(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise _Odd("not a JSON object")
    return found


def _as_text(key: str, value: object, wanted: bool) -> str:
    """Numbers and booleans as JSON writes them; a list or an object is no text where text is wanted."""
    if isinstance(value, str):
        return value
    if wanted and isinstance(value, (list, dict)):
        raise _Odd(f"{key!r} holds {'a list' if isinstance(value, list) else 'an object'}, not text")
    if wanted and isinstance(value, float) and abs(value) >= _EXACT:
        raise _Odd(f"{key!r} holds a number with too many digits: put it in quotes")
    return orjson.dumps(value).decode()


def _table(file: Path, lines: list[str], wanted: tuple[str, ...]) -> Records:
    name = file.name
    first = next(number for number, line in enumerate(lines) if line.strip())
    text = "\n".join(lines)
    escaped = bool(_BACKSLASHED_QUOTE.search(text)) and not _DOUBLED_QUOTE.search(text.replace('\\"', ""))
    header, delimiter, start = _header(lines, first, DELIMITERS[file.suffix.lower()], escaped, wanted)
    if lines[first].lstrip().startswith(("{", "[")) and not set(wanted) & set(header):
        what, next_step = "this is JSON, not a table", "let its name end in .jsonl or .json"
        raise InputError(Problem("data-format", what, name, next_step=next_step))
    twice = sorted({column for column in header if column in wanted and header.count(column) > 1})
    if twice:
        what = f"the header names {', '.join(map(repr, twice))} twice"
        raise InputError(Problem("data-column-twice", what, f"{name}:{first + 1}", next_step="rename one of them"))
    rows: list[Record] = []
    odd: list[OddRow] = []
    for number, fields in _split(lines, start, delimiter, escaped):
        try:
            if isinstance(fields, csv.Error):
                fields = _plain_fields(lines[number - 1], delimiter, len(header), fields)
                odd.append(
                    OddRow(name, number, "a quote that does not match: the row was read as plain text", used=True)
                )
            if len(fields) != len(header):
                raise _Odd(f"{len(fields)} columns instead of {len(header)}")
            if any(NOT_UTF8.search(field) for field in fields):
                raise _Odd("not UTF-8: save the file as UTF-8")
        except _Odd as error:
            odd.append(OddRow(name, number, str(error), used=False))
        else:
            rows.append(Record(number, dict(zip(header, fields, strict=True))))
    return Records(tuple(dict.fromkeys(header)), tuple(rows), tuple(odd))


def _plain_fields(line: str, delimiter: str, count: int, error: csv.Error) -> list[str]:
    fields = line.split(delimiter)
    if len(fields) != count:
        raise _Odd(f"cannot be split into columns: {error}")
    return fields


def _header(
    lines: list[str], first: int, delimiters: str, escaped: bool, wanted: tuple[str, ...]
) -> tuple[list[str], str, int]:
    """Columns, delimiter and the index of the line behind the header: most wanted columns, then most columns."""

    def columns(delimiter: str) -> tuple[list[str], int]:
        reader = _reader((f"{line}\n" for line in lines[first:]), delimiter, escaped, strict=True)
        try:
            fields, end = next(reader), first + reader.line_num
        except csv.Error:
            fields, end = lines[first].split(delimiter), first + 1
        return [column.strip() for column in fields], end

    delimiter = max(delimiters, key=lambda mark: (len(set(wanted) & set(columns(mark)[0])), len(columns(mark)[0])))
    header, start = columns(delimiter)
    return header, delimiter, start


def _split(lines: list[str], start: int, delimiter: str, escaped: bool) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """(line on which the row starts, its fields or why it cannot be split). Goes on behind a broken line.

    A quote that is never closed would swallow the rest of the file; here it costs its own line only.
    """
    while start < len(lines):
        base = start
        reader = _reader((f"{lines[n]}\n" for n in range(base, len(lines))), delimiter, escaped, strict=True)
        while True:
            start = base + reader.line_num
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield start + 1, error
                start += 1
                break
            if fields and (len(fields) > 1 or fields[0].strip()):
                yield start + 1, fields


def _reader(lines: Iterator[str], delimiter: str, escaped: bool, *, strict: bool) -> Reader:
    escape = "\\" if escaped else None
    return csv.reader(lines, delimiter=delimiter, escapechar=escape, doublequote=not escaped, strict=strict)
