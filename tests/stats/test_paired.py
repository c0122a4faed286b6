"""Paired differences: published values, small n, ties, clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steelyard.quantities import Unknown
from steelyard.stats import Interval, PairedDifference, paired_difference
from steelyard.stats.paired import mcnemar, tango


def pairs(wins: int, losses: int, ties: int) -> tuple[list[float], list[float]]:
    first = [1.0] * wins + [0.0] * losses + [1.0] * ties
    second = [0.0] * wins + [1.0] * losses + [1.0] * ties
    return first, second


def compared(first, second, **more) -> tuple[PairedDifference, Interval]:
    got = paired_difference(first, second, **more)
    assert isinstance(got, PairedDifference)
    assert isinstance(got.estimate.interval, Interval)
    return got, got.estimate.interval


def test_tango_and_mcnemar_give_the_values_of_fagerland_2014():
    """Airway hyper-responsiveness before and after transplantation: 1 against 7 of 21."""
    got = tango(1, 7, 21)
    assert (got.low, got.high) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert mcnemar(1, 7) == pytest.approx(0.034, abs=5e-4)


def test_tango_equals_a_direct_search_over_the_constrained_likelihood():
    """An independent route to the same limits: maximise the likelihood under d numerically, invert the score test."""
    wins, losses, n = 14, 5, 60
    got = tango(wins, losses, n, 0.95)
    for end in (got.low, got.high):
        q = np.linspace(max(0.0, -end) + 1e-9, (1 - end) / 2 - 1e-9, 200_001)
        likelihood = wins * np.log(q + end) + losses * np.log(q) + (n - wins - losses) * np.log(1 - 2 * q - end)
        best = q[np.nanargmax(likelihood)]
        score = (wins - losses - n * end) / np.sqrt(n * (2 * best + end * (1 - end)))
        assert abs(score) == pytest.approx(1.96, abs=1e-3)


def test_identical_answers_are_a_tie_with_an_interval_that_shrinks_with_n():
    small, at_40 = compared(*pairs(0, 0, 40))
    _, at_400 = compared(*pairs(0, 0, 400))
    assert small.p_value == 1.0
    assert at_40.low == pytest.approx(-at_40.high)
    assert 0 < at_400.high < at_40.high < 0.1


def test_nothing_in_common_is_unknown_and_one_item_has_no_interval():
    assert isinstance(paired_difference([], []), Unknown)
    one = paired_difference([1.0], [0.0])
    assert isinstance(one, PairedDifference)
    assert isinstance(one.estimate.interval, Unknown)
    assert one.p_value == 1.0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_the_p_value_and_the_interval_never_contradict_each_other(wins, losses, ties):
    if wins + losses + ties < 2:
        return
    got, interval = compared(*pairs(wins, losses, ties))
    assert -1 <= interval.low <= got.estimate.value <= interval.high <= 1
    if abs(got.p_value - 0.05) > 1e-9:
        assert (got.p_value < 0.05) == (interval.low > 0 or interval.high < 0)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(2, 30))
def test_swapping_the_two_mirrors_the_interval(wins, losses, ties):
    first, second = pairs(wins, losses, ties)
    one, interval = compared(first, second)
    other, mirrored = compared(second, first)
    assert (interval.low, interval.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-9)
    assert one.p_value == other.p_value


def test_real_scores_come_near_the_paired_t_test_where_that_holds():
    random = np.random.default_rng(4)
    first, second = (np.clip(random.normal(at, 0.2, 200), 0, 1) for at in (0.55, 0.5))
    theirs = stats.ttest_rel(first, second)
    got, interval = compared(list(first), list(second))
    assert got.p_value == pytest.approx(theirs.pvalue, abs=0.003)
    low, high = theirs.confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.003)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=20), st.integers(1, 5))
def test_of_real_scores_and_clusters_too_p_value_and_interval_agree(scores, size):
    first, second = map(list, zip(*scores, strict=True))
    got = paired_difference(first, second, [i // size for i in range(len(first))])
    assert isinstance(got, PairedDifference)
    interval = got.estimate.interval
    if isinstance(interval, Interval) and abs(got.p_value - 0.05) > 1e-6:
        assert (got.p_value < 0.05) == (interval.low > 0 or interval.high < 0)
        assert -1 <= interval.low <= got.estimate.value <= interval.high <= 1


def test_mcnemar_agrees_with_statsmodels():
    """statsmodels 0.15.0: mcnemar([[30, 12], [3, 55]], exact=False, correction=False).pvalue"""
    assert mcnemar(12, 3) == pytest.approx(0.02013675155034633, rel=1e-12)


def test_a_constant_difference_of_real_scores_is_no_certainty():
    got, interval = compared([0.6] * 10, [0.5] * 10)
    assert interval.low < 0.1 < interval.high
    assert got.p_value > 0.01


def test_clusters_widen_the_interval_and_clusters_of_one_change_nothing():
    first, second = pairs(12, 3, 15)
    _, alone = compared(first, second)
    _, singles = compared(first, second, clusters=list(range(30)))
    _, grouped = compared(first, second, clusters=[i // 3 for i in range(30)])
    assert singles == alone
    assert grouped.high - grouped.low > alone.high - alone.low


def test_the_test_keeps_its_size_at_small_n():
    """Exact size at n = 20 over a grid of discordance: at most 5.4 % where 5 % is asked for."""
    n = 20
    for discordance in np.linspace(0.05, 0.95, 19):
        rejected = 0.0
        for discordant in range(n + 1):
            weight = stats.binom.pmf(discordant, n, discordance)
            wins = np.arange(discordant + 1)
            significant = np.array([mcnemar(int(w), discordant - int(w)) < 0.05 for w in wins])
            rejected += weight * (stats.binom.pmf(wins, discordant, 0.5) * significant).sum()
        assert rejected < 0.054
