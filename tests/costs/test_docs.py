"""The page on costs has every line and every input, with the values that ship."""

from __future__ import annotations

from pathlib import Path

from steelyard.costs.inputs import default_inputs
from steelyard.costs.lines import LINES

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text("utf-8")


def test_the_page_lists_every_line_with_its_formula():
    for line in LINES:
        assert f"| {line.name} | {line.group} | {'yes' if line.sticker else ''} | {line.formula} |" in PAGE, line.name


def test_the_page_lists_every_input_with_the_value_that_ships():
    for fact in default_inputs().facts.values():
        assert f"| `{fact.name}` | {fact.value:,.10g} |" in PAGE, fact.name
