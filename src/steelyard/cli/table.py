"""A plain table on stdout: coloured heads on a terminal, aligned text anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from steelyard.cli.say import say
from steelyard.visible import visible


def print_table(heads: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """One line a row, columns padded to their widest cell; nothing is cut off when the output is not a terminal."""
    cells = [[visible(row[head]) for head in heads] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    say(_line(heads, widths), bold=True)
    for row in cells:
        say(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
