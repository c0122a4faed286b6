"""Quantiles with distribution-free intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval, needed_for, quantile


@pytest.mark.parametrize(("n", "q"), [(6, 0.5), (30, 0.5), (59, 0.95), (100, 0.95), (240, 0.95)])
def test_the_ranks_enclose_the_quantile_with_at_least_the_level(n, q):
    """On the values 1..n an interval's ends are its ranks, so the coverage is a binomial probability."""
    got = quantile(range(1, n + 1), q, "rank")
    assert isinstance(got, Estimate)
    assert isinstance(got.interval, Interval)
    low, high = got.interval.low, got.interval.high
    coverage = binom.cdf(high - 1, n, q) - binom.cdf(low - 1, n, q)
    assert coverage >= 0.95
    narrower = max(
        binom.cdf(left + high - low - 2, n, q) - binom.cdf(left - 1, n, q) for left in range(1, n - int(high - low) + 2)
    )
    assert narrower < 0.95


def test_the_median_interval_of_thirty_is_the_tenth_to_the_twenty_first():
    """The tabled ranks for n = 30 (Conover, Practical Nonparametric Statistics)."""
    got = quantile(range(1, 31), 0.5, "rank")
    assert isinstance(got, Estimate)
    assert got.interval == Interval(10, 21)


def test_too_few_values_give_the_quantile_and_say_how_many_the_interval_takes():
    assert (needed_for(0.5), needed_for(0.95)) == (6, 59)
    got = quantile(range(1, 31), 0.95, "rank")
    assert isinstance(got, Estimate)
    assert got.value == 29
    assert isinstance(got.interval, Unknown)
    assert "59" in got.interval.reason
    assert isinstance(quantile([], 0.5, "s"), Unknown)


def test_the_nearest_rank_is_not_lost_to_rounding():
    """0.95 * 20 is 19 and a little in floating point."""
    got = quantile(range(1, 21), 0.95, "rank")
    assert isinstance(got, Estimate)
    assert got.value == 19


def test_a_skewed_distribution_is_covered_as_often_as_promised():
    draws = np.random.default_rng(7).exponential(size=(400, 80))
    median = np.log(2)
    held = [
        got.interval.low <= median <= got.interval.high
        for got in (quantile(list(row), 0.5, "s") for row in draws)
        if isinstance(got, Estimate) and isinstance(got.interval, Interval)
    ]
    assert len(held) == 400
    assert np.mean(held) > 0.93
