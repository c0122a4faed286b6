"""Which column is which, guessed from the values for a person to confirm."""

from __future__ import annotations

from dataclasses import dataclass

from steelyard.errors import InputError, Problem
from steelyard.usecase.records import Records

LOOKED_AT = 1000
_TARGETS = ("target", "label", "intent", "category", "class", "expected", "topic", "answer", "tag")
_LANGUAGES = ("language", "lang", "locale")


@dataclass(frozen=True)
class Column:
    """What stands in a column, over the first rows: how many different values, their mean length, an example."""

    name: str
    distinct: int
    filled: int
    mean_length: float
    example: str


@dataclass(frozen=True)
class Guess:
    """Names of columns; "" where none looks like it."""

    input: str
    target: str
    id: str
    language: str


def describe(records: Records) -> tuple[Column, ...]:
    """All columns in file order. A missing value counts as empty."""
    rows = records.rows[:LOOKED_AT]
    found: list[Column] = []
    for name in records.columns:
        values = [value for row in rows if (value := row.values.get(name, "").strip())]
        length = sum(map(len, values)) / max(1, len(rows))
        found.append(Column(name, len(set(values)), len(values), length, values[0] if values else ""))
    return tuple(found)


def guess_columns(columns: tuple[Column, ...]) -> Guess:
    """Input: the longest text. Target: few different values, each seen more than once on average.

    Raises InputError where there are not two columns to choose from.
    """
    if len(columns) < 2:
        what = "a study needs two columns, the input and its right answer"
        allowed = ", ".join(column.name for column in columns) or "no column found"
        raise InputError(Problem("data-no-column", what, allowed=allowed, next_step="add the column with the answers"))
    text = max(columns, key=lambda column: column.mean_length)
    rest = [column for column in columns if column is not text]
    language = next((column.name for column in rest if column.name.lower() in _LANGUAGES), "")
    named = next((column.name for column in rest if column.name.lower() == "id"), "")
    rows = max(column.filled for column in columns)
    target = max(
        [column for column in rest if column.name not in (language, named)] or rest,
        key=lambda column: (
            1 < column.distinct <= max(2, rows // 2),
            any(word in column.name.lower() for word in _TARGETS),
            column.filled,
            -column.distinct,
        ),
    )
    return Guess(text.name, target.name, named, language)
