"""No two labels overlap, none leaves its frame, whatever the candidates are called."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decision.samples import sample_decision, share
from tests.report.variations import crowd

from steelyard.report.blocks import Point
from steelyard.report.charts import FONT, Axis, front, layout
from steelyard.report.labels import Box, beside, column, column_height, shortened, text_width
from steelyard.report.leaderboard import trade_off


def points_of(decision) -> tuple[Point, ...]:
    section = trade_off(decision)
    assert section is not None
    return section.blocks[0].points


def assert_apart(plan, width: float) -> None:
    frame = Box(0, 0, width, plan.height)
    boxes = [label.box for label in plan.labels]
    for index, box in enumerate(boxes):
        assert box.inside(frame), f"label {index} leaves the frame: {box}"
        assert text_width(plan.labels[index].text, FONT) <= box.right - box.left + 0.01
        for other in boxes[:index]:
            assert not box.overlaps(other)


@pytest.mark.parametrize("width", [880.0, 358.0])
@pytest.mark.parametrize("same", [False, True])
def test_25_candidates_with_60_character_names_have_labels_apart_and_inside(width: float, same: bool) -> None:
    points = points_of(crowd(25, 60, same))
    assert len(points) == 25
    assert_apart(layout(points, width), width)


spots = st.lists(
    st.tuples(st.floats(0.001, 500), st.floats(0.05, 0.95), st.text(min_size=1, max_size=60)), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(spots, st.sampled_from([880.0, 358.0]))
def test_labels_are_apart_and_inside_for_any_candidates(candidates, width: float) -> None:
    points = tuple(
        Point("row-1", name, "open", usd, share(value, max(0, value - 0.05), min(1, value + 0.05)), "")
        for usd, value, name in candidates
    )
    assert_apart(layout(points, width), width)


def test_few_candidates_are_labelled_at_their_points_without_cutting_names() -> None:
    points = points_of(sample_decision())
    plan = layout(points, 880.0)
    assert [label.text for label in plan.labels] == [point.name for point in points]
    for point, label in zip(points, plan.labels, strict=True):
        if not label.leader:
            middle = plan.x(point.usd)
            assert min(abs(label.box.left - middle), abs(label.box.right - middle)) < 20


def test_labels_that_cutting_makes_alike_get_the_number_of_their_row_in_the_table() -> None:
    plan = layout(points_of(crowd(25, 60)), 358.0)
    texts = [label.text for label in plan.labels]
    assert len(set(texts)) == 25
    assert [text.split()[0] for text in texts] == [str(number) for number in range(1, 26)]


def test_beside_gives_up_rather_than_overlap() -> None:
    assert beside([(50.0, 50.0)] * 40, ["a long label"] * 40, 12.0, Box(0, 0, 100, 100), ()) is None


def test_a_column_keeps_the_order_of_heights_and_ends_inside() -> None:
    height = column_height(3, 12.0)
    labels = column([(0.0, 90.0), (0.0, 10.0), (0.0, 91.0)], ["a", "b", "c"], 12.0, Box(10, 0, 60, height))
    assert labels[1].box.top < labels[0].box.top < labels[2].box.top
    assert labels[2].box.bottom <= height + 1e-9


def test_a_cut_name_keeps_both_its_ends() -> None:
    cut = shortened("organisation/model-name-7b-instruct-v2", 12.0, 150.0)
    assert cut.startswith("org") and cut.endswith("v2") and "…" in cut


def test_the_front_holds_those_whom_nobody_beats_on_both() -> None:
    def point(name: str, usd: float, value: float) -> Point:
        return Point("r", name, "open", usd, share(value, value, value), "")

    points = [point("dear", 5, 0.9), point("beaten", 3, 0.6), point("cheap", 1, 0.5), point("middle", 2, 0.7)]
    assert [p.name for p in front(points)] == ["cheap", "middle", "dear"]


def test_a_cost_axis_is_logarithmic_from_a_factor_of_ten() -> None:
    def axis(high: float) -> Axis:
        pair = [Point("r", "x", "open", usd, share(0.5, 0.4, 0.6), "") for usd in (1.0, high)]
        return layout(pair, 880.0).x

    assert not axis(9.9).log
    assert axis(10.0).log and len(axis(10.0).ticks()) >= 3
