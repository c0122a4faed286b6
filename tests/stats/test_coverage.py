"""A small simulation of what benchmarks/intervals.py holds in full: enough to catch a method that is plainly wrong."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from steelyard.stats import Estimate, Interval, holm, mean, paired_difference
from steelyard.stats.paired import PairedDifference

RUNS = 300


def held(estimate: object, truth: float) -> bool:
    assert isinstance(estimate, Estimate)
    assert isinstance(estimate.interval, Interval)
    return estimate.interval.low <= truth <= estimate.interval.high


def test_graded_scores_near_one_are_covered():
    """A t interval covers 81 % here."""
    random = np.random.default_rng(1)
    draws = random.choice([0.0, 0.5, 1.0], p=[0.02, 0.06, 0.92], size=(RUNS, 20))
    assert np.mean([held(mean(list(row), "share"), 0.95) for row in draws]) > 0.92


@pytest.mark.parametrize("kind", ["mean", "pair"])
def test_few_clusters_of_unlike_sizes_are_covered(kind):
    """One cluster of 60 beside nine of 3; the usual robust error with nine degrees of freedom covers 75 to 85 %."""
    random = np.random.default_rng(2)
    groups = np.repeat(range(10), [60] + [3] * 9)
    covered = []
    for _ in range(RUNS):
        shared = random.normal(size=(2, 10))[:, groups]
        first, second = (0.7 * shared + 0.7 * random.normal(size=(2, len(groups))) < 0.3).astype(float)
        if kind == "mean":
            covered.append(held(mean(list(first), "share", clusters=list(groups)), 0.6191))
        else:
            got = paired_difference(list(first), list(second), list(groups))
            assert isinstance(got, PairedDifference)
            covered.append(held(got.estimate, 0.0))
    assert np.mean(covered) > 0.92


def test_four_models_alike_in_clusters_are_seldom_told_apart():
    random = np.random.default_rng(3)
    groups = np.repeat(range(20), 5)
    false = 0
    for _ in range(RUNS):
        scores = (random.normal(size=(4, 20))[:, groups] + random.normal(size=(4, 100)) < 0.8).astype(float)
        pairs = [paired_difference(list(a), list(b), list(groups)) for a, b in combinations(scores, 2)]
        false += min(holm([pair.p_value for pair in pairs if isinstance(pair, PairedDifference)])) < 0.05
    assert false / RUNS < 0.08
