"""Non-inferiority: these items and traffic like them, side by side."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_hypergeom

from steelyard.quantities import Unknown
from steelyard.stats import Interval, paired_difference
from steelyard.stats.noninferiority import NonInferiority, noninferiority
from steelyard.stats.paired import PairedDifference


def claimed(first, second, margin=0.05, **more) -> NonInferiority:
    got = noninferiority(first, second, margin, **more)
    assert isinstance(got, NonInferiority)
    return got


def test_what_was_answered_whole_is_known_exactly_and_traffic_is_not():
    first, second = [1.0] * 90 + [0.0] * 10, [1.0] * 92 + [0.0] * 8
    got = claimed(first, second)
    assert got.items.interval == Interval(got.items.value, got.items.value)
    assert (got.p_items, got.p_traffic < 0.05) == (0.0, False)


def test_traffic_is_the_interval_of_the_paired_difference():
    first, second = [1.0] * 20 + [0.0] * 10, [0.0] * 4 + [1.0] * 26
    paired = paired_difference(first, second)
    assert isinstance(paired, PairedDifference)
    assert claimed(first, second).traffic == paired.estimate


@given(st.lists(st.tuples(st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1])), min_size=2, max_size=25),
       st.floats(0, 0.5))  # fmt: skip
def test_the_p_value_is_below_five_hundredths_when_the_interval_ends_above_the_margin(scores, margin):
    first, second = map(list, zip(*scores, strict=True))
    got = claimed(first, second, margin, population=40)
    for p, estimate in ((got.p_traffic, got.traffic), (got.p_items, got.items)):
        interval = estimate.interval
        if isinstance(interval, Interval) and abs(interval.low + margin) > 1e-6:
            assert (p < 0.05) == (interval.low > -margin)


def test_a_part_of_a_finite_set_leaves_less_doubt_than_of_endless_traffic_and_never_the_impossible():
    first, second = [1.0] * 15 + [0.0] * 5, [0.0] * 3 + [1.0] * 17
    spans = [claimed(first, second, population=whole).items.interval for whole in (22, 40, 10_000)]
    assert all(isinstance(span, Interval) for span in spans)
    widths = [span.high - span.low for span in spans if isinstance(span, Interval)]
    assert widths == sorted(widths)
    first_span = spans[0]
    assert isinstance(first_span, Interval)
    assert (-2 - 2) / 22 - 1e-9 <= first_span.low <= first_span.high <= (-2 + 2) / 22 + 1e-9
    endless = claimed(first, second).traffic.interval
    assert isinstance(endless, Interval)
    last = spans[-1]
    assert isinstance(last, Interval)
    assert last.low == pytest.approx(endless.low, abs=0.01)


def test_over_all_parts_of_small_sets_the_interval_holds_the_whole_sets_difference():
    """12 of 20 items, 28 sets: every outcome with its multivariate hypergeometric probability, no simulation."""
    coverage = []
    for up, down in product(range(2, 9), range(4)):
        held = 0.0
        for wins, losses in product(range(up + 1), range(down + 1)):
            odds = multivariate_hypergeom.pmf([wins, losses, 12 - wins - losses], [up, down, 20 - up - down], 12)
            first = [1.0] * wins + [0.0] * (12 - wins)
            second = [0.0] * (12 - losses) + [1.0] * losses
            if odds > 0:
                interval = claimed(first, second, population=20).items.interval
                assert isinstance(interval, Interval)
                held += odds * (interval.low - 1e-9 <= (up - down) / 20 <= interval.high + 1e-9)
        coverage.append(held)
    assert np.mean(coverage) > 0.93
    assert min(coverage) > 0.85


def test_nothing_in_common_is_unknown_and_a_worse_one_is_never_claimed():
    assert isinstance(noninferiority([], [], 0.02), Unknown)
    got = claimed([0.0] * 30, [1.0] * 30, 0.02)
    assert (got.p_items, got.p_traffic) == (1.0, 1.0)
    one = claimed([1.0], [1.0], 0.02)
    assert isinstance(one.traffic.interval, Unknown)
    assert one.p_traffic == 1.0
