"""Repeats: the variance split between items and answers."""

from __future__ import annotations

import pytest

from steelyard.quantities import Unknown
from steelyard.stats import Interval
from steelyard.stats.repeats import Repeats, repeats

ROWS = [[1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 1], [1, 1, 1]]


def split(rows) -> Repeats:
    got = repeats(rows)
    assert isinstance(got, Repeats)
    return got


def test_equal_rows_give_the_components_of_reml():
    """statsmodels 0.15.0: mixedlm("y ~ 1", data, groups=item).fit(reml=True): cov_re 0.08532216, scale 0.16666459."""
    got = split(ROWS)
    assert (got.between, got.within) == pytest.approx((0.08532216, 0.16666459), abs=3e-5)
    assert got.within_share == pytest.approx(0.661, abs=0.001)


def test_more_items_narrow_the_interval_more_than_more_answers():
    got = split(ROWS)
    now = got.half_width(8, 3)
    assert got.half_width(16, 3) < got.half_width(8, 6) < now
    assert got.half_width(8, 10**9) > 0.2


def test_the_mean_over_these_very_items_is_known_better_than_over_traffic():
    got = split(ROWS)
    assert isinstance(got.items.interval, Interval)
    assert isinstance(got.traffic.interval, Interval)
    assert got.items.value == got.traffic.value
    assert got.items.interval.high - got.items.interval.low < got.traffic.interval.high - got.traffic.interval.low


def test_answers_that_never_change_leave_all_doubt_with_the_items():
    got = split([[1, 1], [0, 0], [1, 1], [1, 1]])
    assert (got.within, got.within_share) == (0.0, 0.0)
    assert got.items.interval == Unknown("no item was answered in two ways")


def test_rows_of_unlike_length_are_taken_and_single_answers_split_nothing():
    assert split([[1, 0], [1], [0, 0, 1]]).answers == 2
    assert isinstance(repeats([[1], [0], [1]]), Unknown)
    assert isinstance(repeats([[1, 0]]), Unknown)
