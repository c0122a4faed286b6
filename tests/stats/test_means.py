"""Means, t intervals, clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval, mean
from steelyard.stats.means import Spread, spread


def test_the_t_interval_agrees_with_scipy():
    values = [0.2, 0.4, 0.9, 0.1, 0.7]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    got = mean(values, "seconds")
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
    assert copied.interval.high == pytest.approx(once.interval.high, abs=0.005)
    assert copied.method == "score interval, robust to 6 clusters"


def test_a_single_cluster_has_no_interval():
    got = mean([0.0, 1.0], "share", clusters=["a", "a"])
    assert isinstance(got, Estimate)
    assert got.interval == Unknown("all items are in one cluster")


def test_clusters_of_one_size_give_the_robust_error_of_statsmodels():
    """OLS(d, ones).fit(cov_type="cluster", cov_kwds={"groups": g}, use_t=True).bse, statsmodels 0.15.0."""
    got = spread([1, 0, 0, 1, -1, 0, 1, 1, 0, 0, 1, -1], [i // 3 for i in range(12)])
    assert isinstance(got, Spread)
    assert (got.standard_error, got.degrees) == pytest.approx((0.15957118, 3), rel=1e-7)


def test_clusters_of_unlike_sizes_give_cr2_worked_out_with_whole_matrices():
    """The definition for any regression, by eigenvectors: square roots of I - H by cluster, Satterthwaite's degrees."""
    random = np.random.default_rng(1)
    groups = np.repeat(range(5), [1, 2, 4, 7, 20])
    y, n = random.normal(size=34), 34
    hat = np.full((n, n), 1 / n)
    residual, parts, variance = y - y.mean(), [], 0.0
    for group in range(5):
        here = groups == group
        values, vectors = np.linalg.eigh(np.eye(here.sum()) - hat[np.ix_(here, here)])
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        weights = np.ones(here.sum()) / n @ root
        variance += (weights @ residual[here]) ** 2
        parts.append((np.eye(n) - hat)[:, here] @ weights)
    inner = np.array(parts) @ np.array(parts).T
    got = spread(list(y), list(groups))
    assert isinstance(got, Spread)
    assert got.standard_error == pytest.approx(np.sqrt(variance))
    assert got.degrees == pytest.approx(np.trace(inner) ** 2 / (inner**2).sum())


def test_scores_that_are_all_the_same_are_no_certainty():
    got = mean([1.0] * 8, "share", clusters=[0, 0, 1, 1, 2, 2, 3, 3])
    assert isinstance(got, Estimate)
    assert isinstance(got.interval, Interval)
    assert got.interval.low < 0.8


def test_one_huge_cluster_beside_small_ones_leaves_one_degree_of_freedom():
    got = spread([1.0, 0.0] + [0.5, 0.4] * 100_000, ["a", "b"] + ["c"] * 200_000)
    assert isinstance(got, Spread)
    assert 1 <= got.degrees < 2.5


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4)), min_size=2, max_size=30))
def test_whatever_the_scores_the_interval_holds_the_mean_and_stays_among_shares(rows):
    values, clusters = [value for value, _ in rows], [cluster for _, cluster in rows]
    got = mean(values, "share", clusters=clusters)
    assert isinstance(got, Estimate)
    if isinstance(got.interval, Interval):
        assert -1e-12 <= got.interval.low <= got.value + 1e-12
        assert got.value - 1e-12 <= got.interval.high <= 1 + 1e-12
