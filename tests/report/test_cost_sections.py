"""Costs in full on the page: charts with a table under each, and every figure from the record."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import pytest
from tests.costs.test_model import api_plan, machine_plan
from tests.decision.samples import sample_decision
from tests.report.variations import HOSTILE

from steelyard.costs.outlook import CostOutlook, outlook
from steelyard.costs.volume import Demand
from steelyard.decision import Decision
from steelyard.decision.sentences import usd
from steelyard.report.blocks import Curves, Tornado
from steelyard.report.charts import Axis
from steelyard.report.cost_charts import _decades, _months
from steelyard.report.cost_sections import ahead
from steelyard.report.render import html, markdown


@pytest.fixture(scope="module")
def costs() -> CostOutlook:
    plans = (replace(machine_plan(), candidate="linear"), replace(api_plan(), candidate="openai:gpt-5-mini"))
    return outlook(plans, Demand(20_000, 0.06, 36), choice="linear")


@pytest.fixture
def decision(costs: CostOutlook) -> Decision:
    return replace(sample_decision(), costs=costs)


def test_a_run_without_costs_has_no_such_section() -> None:
    assert ahead(sample_decision()) is None
    assert "Costs in full" not in html(sample_decision())


def test_three_charts_stand_on_the_page_each_with_its_figures(decision: Decision) -> None:
    section = ahead(decision)
    assert section is not None
    charts = [block for block in section.blocks if isinstance(block, Curves | Tornado)]
    assert [type(chart) for chart in charts] == [Curves, Curves, Tornado]
    page = html(decision)
    for chart in charts:
        assert chart.table.rows
        assert chart.table.caption in page
        assert chart.table.caption in markdown(decision)


def test_every_chart_is_well_formed_and_says_in_words_what_it_shows(decision: Decision) -> None:
    found = re.findall(r'<svg class="costs-chart".*?</svg>', html(decision), re.DOTALL)
    assert len(found) == 6  # for a screen and for a phone
    for svg in found:
        tree = ElementTree.fromstring(svg)
        assert tree.find("title") is not None
        assert (tree.findtext("desc") or "").strip()
        assert "nan" not in svg


def test_totals_on_the_page_are_those_of_the_record(decision: Decision, costs: CostOutlook) -> None:
    page = html(decision)
    for plan in costs.plans:
        assert usd(plan.horizon_usd) in page
        assert usd(plan.month_usd) in page
    for one in costs.scenarios:
        assert one.name in unescape(page).replace("\u00a0", " ")


def test_hostile_names_stay_text(decision: Decision, costs: CostOutlook) -> None:
    plans = tuple(replace(plan, candidate=HOSTILE) for plan in costs.plans[:1])
    bent = replace(costs, choice=HOSTILE, plans=plans, tornado=(), splits=())
    page = html(replace(decision, costs=bent))
    assert "<script" not in page
    assert "\u202e" not in page


def test_an_axis_over_volume_has_its_powers_of_ten_as_far_as_there_is_room() -> None:
    assert _decades(Axis(1, 1e8, 84, 300, log=True)) == (1, 1e4, 1e8)
    assert _decades(Axis(1, 1e8, 84, 1000, log=True)) == tuple(10.0**power for power in range(9))


def test_an_axis_over_time_has_whole_years_where_there_is_room_for_little_else() -> None:
    assert _months(Axis(1, 36, 84, 180)) == (12, 24, 36)
    assert _months(Axis(1, 120, 84, 180))[-1] == 96


def test_every_figure_opens_on_the_page_into_formula_and_sources(decision: Decision, costs: CostOutlook) -> None:
    page = unescape(html(decision)).replace("\u00a0", " ")
    assert "How each line is worked out" in page
    for line in costs.plans[0].lines:
        assert line.formula in page
    for one in costs.inputs.values():
        assert one.source.split("(")[0].strip()[:40] in page
