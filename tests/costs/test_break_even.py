"""The staircase of cost, and every place where the cheapest way changes, against brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.costs.break_even import Span, cheapest, drawn, month_by_month, over_time, staircase

LOW, HIGH = 1.0, 1e8


def machines(capacity: float, per_replica: float, base: float = 0.0, each: float = 0.0):
    """Replicas for the volume, each at a price, plus a base and something a request."""

    def cost(volume):
        replicas = np.maximum(1, np.ceil(np.asarray(volume, float) / capacity - 1e-12))
        return base + replicas * per_replica + each * np.asarray(volume, float)

    return cost, np.arange(1, math.floor(HIGH / capacity) + 1) * capacity


def line(each: float, minimum: float = 0.0):
    steps = np.array([minimum / each]) if minimum else np.array([])
    return lambda volume: np.maximum(minimum, each * np.asarray(volume, float)), steps


def made(name, way, low=LOW, high=HIGH):
    return staircase(name, *way, low, high)


def test_one_machine_against_a_price_per_request_breaks_even_where_the_rent_equals_the_bill() -> None:
    own, api = made("own", machines(1e9, 500.0)), made("api", line(0.05))
    first, second = cheapest((api, own))
    assert (first.start, first.cheapest, second.cheapest, second.end, second.by_step) == (
        1.0,
        "api",
        "own",
        HIGH,
        False,
    )
    assert math.isclose(first.end, 10_000, rel_tol=1e-9)


def test_a_staircase_crosses_a_line_several_times_and_each_is_found_exactly() -> None:
    """100 USD a machine of 1,000 requests, against 0.11 USD a request: own wins near the end of each step."""
    own, api = made("own", machines(1000.0, 100.0), 1.0, 3500.0), made("api", line(0.11), 1.0, 3500.0)
    spans = cheapest((api, own))
    assert [(round(span.end, 6), span.cheapest) for span in spans] == [
        (round(100 / 0.11, 6), "api"),
        (1000.0, "own"),
        (round(200 / 0.11, 6), "api"),
        (2000.0, "own"),
        (round(300 / 0.11, 6), "api"),
        (3000.0, "own"),
        (3500.0, "api"),
    ]
    assert [span.by_step for span in spans] == [False, False, True, False, True, False, True]


def test_equals_keep_the_earlier_name() -> None:
    first, second = made("first", line(0.1)), made("second", line(0.1))
    assert cheapest((first, second)) == (Span(LOW, HIGH, "first"),)
    assert cheapest((second, first)) == (Span(LOW, HIGH, "second"),)


def test_a_minimum_spend_is_a_bend_and_not_a_curve() -> None:
    api, own = made("api", line(0.01, minimum=300.0)), made("own", machines(1e9, 200.0))
    assert cheapest((api, own)) == (Span(LOW, HIGH, "own"),)
    assert made("api", line(0.01, minimum=300.0))(29_999.0) == 300.0


def test_a_step_that_was_left_out_is_an_error_and_not_a_wrong_answer() -> None:
    cost, steps = machines(1000.0, 100.0)
    with pytest.raises(ValueError, match="not linear between 3000 and 5000"):
        staircase("own", cost, steps[steps != 4000.0], 1.0, 10_000.0)


def test_a_hundred_thousand_steps_are_searched_in_full() -> None:
    """Own wins at the end of each step only, ever a little longer; the last change lies far out and is found too."""
    own, api = made("own", machines(1000.0, 100.0)), made("api", line(0.1 + 1e-5))
    spans = cheapest((api, own))
    assert len(spans) > 19_000
    assert math.isclose(spans[0].end, 100 / (0.1 + 1e-5))
    assert spans[-1].cheapest == "own"
    assert math.isclose(spans[-1].start, 100 * 10_000 / (0.1 + 1e-5), rel_tol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    ways=st.lists(
        st.tuples(
            st.booleans(),
            st.integers(20, 400),
            st.integers(1, 300),
            st.integers(0, 500),
            st.integers(0, 40),
        ),
        min_size=2,
        max_size=4,
    )
)
def test_no_volume_contradicts_the_spans(ways) -> None:
    """Brute force: at every half-request volume up to 2,000 the span's name costs no more than anybody else."""
    high = 2000.0
    made_of = []
    for number, (owned, capacity, price, base, cents) in enumerate(ways):
        way = machines(capacity, price, base, cents / 100) if owned else line((cents + 1) / 100, minimum=base)
        made_of.append((f"w{number}", way))
    stairs = [staircase(name, *way, 1.0, high) for name, way in made_of]
    spans = cheapest(stairs)
    assert spans[0].start == 1.0
    assert spans[-1].end == high
    assert all(a.end == b.start and a.cheapest != b.cheapest for a, b in pairwise(spans))
    volumes = np.arange(1.25, high, 0.5)
    costs = {name: way[0](volumes) for name, way in made_of}
    least = np.min(list(costs.values()), axis=0)
    ends = np.array([span.end for span in spans])
    names = [spans[i].cheapest for i in np.searchsorted(ends, volumes)]
    told = np.array([costs[name][i] for i, name in enumerate(names)])
    assert np.allclose(told, least, rtol=1e-9, atol=1e-7)


def test_what_was_spent_crosses_inside_a_month() -> None:
    """600 USD at once and 100 a month against 250 a month: equal after four months; with 210, after 5.45."""
    own = over_time("own", [600, 0, 0, 0, 0, 0, 0], [100] * 7)
    assert cheapest((over_time("api", [0] * 7, [250] * 7), own)) == (Span(0, 4, "api"), Span(4, 7, "own", True))
    spans = cheapest((over_time("api", [0] * 7, [210] * 7), own))
    assert [span.cheapest for span in spans] == ["api", "own"]
    assert math.isclose(spans[0].end, 600 / 110)


def test_a_bill_that_comes_in_month_three_changes_the_order_there() -> None:
    api = over_time("api", [0, 0, 50, 0], [10] * 4)
    own = over_time("own", [0] * 4, [15] * 4)
    assert cheapest((api, own)) == (Span(0, 2, "api"), Span(2, 4, "own", True))


def test_the_cheaper_way_of_each_month_changes_between_months() -> None:
    spans = cheapest((month_by_month("api", [80, 90, 101, 112]), month_by_month("own", [100, 100, 100, 200])))
    assert [(span.start, span.end, span.cheapest) for span in spans] == [(0, 2, "api"), (2, 3, "own"), (3, 4, "api")]


def test_a_drawn_line_goes_through_the_first_steps_and_stays_on_the_staircase() -> None:
    own = made("own", machines(1000.0, 100.0))
    points = drawn(own)
    assert (1000.0, 100.0) in points
    assert (1000.0, 200.0) in points
    assert len(points) < 400
    assert all(math.isclose(own(at), usd) or at == round(at, -3) for at, usd in points)
