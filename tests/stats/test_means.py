"""Means, t intervals, clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval, mean


def test_the_t_interval_agrees_with_scipy():
    values = [0.2, 0.4, 0.9, 0.1, 0.7]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    got = mean(values, "share")
    assert isinstance(got, Estimate)
    assert isinstance(got.interval, Interval)
    assert (got.value, got.interval.low, got.interval.high) == pytest.approx((np.mean(values), low, high))


def test_nothing_is_unknown_and_one_value_has_no_interval():
    assert isinstance(mean([], "s"), Unknown)
    one = mean([3.0], "s")
    assert isinstance(one, Estimate)
    assert isinstance(one.interval, Unknown)


def test_copies_of_an_item_in_one_cluster_bring_no_precision():
    """Every item copied three times: the interval stays as wide as without the copies."""
    items = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    once = mean(items, "share")
    copied = mean(items * 3, "share", clusters=list(range(6)) * 3)
    assert isinstance(once, Estimate)
    assert isinstance(once.interval, Interval)
    assert isinstance(copied, Estimate)
    assert isinstance(copied.interval, Interval)
    assert copied.interval.high == pytest.approx(once.interval.high)
    assert copied.method == "t interval, robust to 6 clusters"


def test_a_single_cluster_has_no_interval():
    got = mean([0.0, 1.0], "share", clusters=["a", "a"])
    assert isinstance(got, Estimate)
    assert got.interval == Unknown("all items are in one cluster")
