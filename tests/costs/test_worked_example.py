"""The worked example in the docs: calculator, page and tool agree in every line, to the cent."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from steelyard.costs.inputs import Input, default_inputs
from steelyard.costs.model import Plan
from steelyard.costs.outlook import CostOutlook, outlook
from steelyard.costs.volume import Demand

PAGE = (Path(__file__).parents[2] / "docs" / "costs-example.md").read_text("utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
API, OWN, BOTH, TOTAL = "An API", "Own machines, rented", "Both ways", "What it comes to"


def rows(section: str) -> list[list[str]]:
    """The tables of a section, without their heads."""
    cells = [line.strip("| ").split("|") for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    told = [[cell.strip() for cell in row] for row in cells]
    return [row for row in told if row[0] not in ("Input", "Line", "Way")]


def inputs(section: str) -> dict[str, float]:
    return {row[0]: float(row[1]) for row in rows(section) if len(row) == 2}


def lines(section: str) -> list[list[str]]:
    return [row for row in rows(section) if len(row) == 3]


def calculator(text: str) -> Decimal:
    assert re.fullmatch(r"[\d.x+/() ]+", text), text
    typed = re.sub(r"\d[\d.]*", lambda match: f"Decimal('{match.group()}')", text).replace("x", "*")
    return Decimal(eval(typed, {"Decimal": Decimal}))


def cents(amount: float | Decimal) -> str:
    return f"{Decimal(amount).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


@pytest.fixture(scope="module")
def told() -> CostOutlook:
    plans = []
    for name, section, way in (("API", API, "api"), ("own", OWN, "rented")):
        values = inputs(section) | inputs(BOTH)
        facts = [Input(key, value, value, value, "", "the page", "") for key, value in values.items()]
        plans.append(Plan(name, way, default_inputs().with_facts(facts)))  # type: ignore[arg-type]
    return outlook(plans, Demand(20_000, 0.0, 12))


@pytest.mark.parametrize("section", [API, OWN, TOTAL])
def test_the_calculator_gives_what_the_page_says(section: str) -> None:
    for name, typed, amount in lines(section):
        if typed:
            assert cents(calculator(typed)) == amount, name


@pytest.mark.parametrize(("name", "section"), [("API", API), ("own", OWN)])
def test_the_tool_gives_every_line_of_the_page_and_no_other(told: CostOutlook, name: str, section: str) -> None:
    plan = told.plan(name)
    page = {line: amount for line, typed, amount in lines(section) if typed}
    tool = {line.name: cents(line.horizon_usd if line.group == "one-off" else line.month_usd) for line in plan.lines}
    assert tool == page
    sums = {line: amount for line, typed, amount in lines(section) if not typed}
    assert sums == {"a month": cents(plan.month_usd), "once": cents(plan.once_usd)}


def test_the_totals_of_a_year_agree(told: CostOutlook) -> None:
    assert {row[0]: row[2] for row in lines(TOTAL)} == {plan.candidate: cents(plan.horizon_usd) for plan in told.plans}
