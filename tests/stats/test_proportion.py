"""Wilson's interval against published values and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval, wilson


def interval(estimate: object) -> Interval:
    assert isinstance(estimate, Estimate)
    assert isinstance(estimate.interval, Interval)
    return estimate.interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_of_newcombe_1998_table_1(successes, n, low, high):
    got = interval(wilson(successes, n))
    assert (got.low, got.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 2), (2, 2), (7, 10), (171, 240)])
def test_wilson_agrees_with_scipy(successes, n):
    theirs = binomtest(successes, n).proportion_ci(0.9, method="wilson")
    ours = interval(wilson(successes, n, level=0.9))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_no_items_are_unknown_and_one_item_has_a_value_without_interval():
    assert isinstance(wilson(0, 0), Unknown)
    one = wilson(1, 1)
    assert isinstance(one, Estimate)
    assert one.value == 1.0
    assert isinstance(one.interval, Unknown)


@pytest.mark.parametrize("successes", [-1, 11])
def test_more_successes_than_items_is_an_error_of_the_program(successes):
    with pytest.raises(ValueError, match="of 10 items"):
        wilson(successes, 10)


def test_the_interval_always_holds_its_own_share_and_stays_inside_zero_and_one():
    for n in (2, 3, 50, 1000):
        for successes in range(n + 1):
            got = interval(wilson(successes, n))
            assert 0 <= got.low <= successes / n <= got.high <= 1


def test_mean_coverage_over_all_shares_is_the_level_at_n_30():
    """Exact, not simulated: the binomial probabilities of all outcomes whose interval holds the true share."""
    n = 30
    outcomes = np.arange(n + 1)
    lows, highs = np.transpose([(i.low, i.high) for i in (interval(wilson(int(k), n)) for k in outcomes)])
    shares = np.linspace(0.01, 0.99, 197)[:, None]
    coverage = (binom.pmf(outcomes, n, shares) * ((lows <= shares) & (shares <= highs))).sum(axis=1)
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.83
