"""Corpus metrics against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval
from steelyard.stats.corpus import METRICS, corpus_difference, corpus_metric, macro_f1, micro_f1
from steelyard.stats.paired import PairedDifference


def answers(n: int, classes: int, right: float, seed: int) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(seed)
    targets = [str(k) for k in random.integers(0, classes, n)]
    return targets, [t if random.random() < right else str(random.integers(0, classes)) for t in targets]


def known(estimate: object) -> tuple[float, float, float]:
    assert isinstance(estimate, Estimate)
    assert isinstance(estimate.interval, Interval)
    return estimate.value, estimate.interval.low, estimate.interval.high


@pytest.mark.parametrize("seed", range(5))
def test_the_metrics_are_those_of_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    targets, said = answers(60, 6, 0.6, seed)
    theirs = {
        "macro_f1": metrics.f1_score(targets, said, average="macro"),
        "micro_f1": metrics.f1_score(targets, said, average="micro"),
        "balanced_accuracy": metrics.balanced_accuracy_score(targets, said),
    }
    for name, metric in METRICS.items():
        assert known(corpus_metric(metric, targets, said))[0] == pytest.approx(theirs[name])


def test_the_interval_is_that_of_scipys_bca_but_for_the_wider_tails():
    targets, said = answers(400, 4, 0.8, 3)
    coded = np.array(targets).astype(int), np.array(said).astype(int)

    def macro(true, answer):
        hits = [((true == k) & (answer == k)).sum() * 2 / ((true == k).sum() + (answer == k).sum()) for k in range(4)]
        return np.mean(hits)

    theirs = bootstrap(
        coded, macro, paired=True, vectorized=False, n_resamples=1000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    _, low, high = known(corpus_metric(macro_f1, targets, said))
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_no_answer_costs_recall_and_not_precision():
    targets = ["a"] * 20 + ["b"] * 20
    assert known(corpus_metric(micro_f1, targets, ["a"] * 20 + [""] * 20))[0] == pytest.approx(2 * 20 / 60)


def test_the_difference_is_paired_seeded_and_agrees_with_its_p_value():
    targets, first = answers(300, 5, 0.8, 7)
    second = [answer if k % 10 else "0" for k, answer in enumerate(first)]
    got = corpus_difference(macro_f1, targets, first, second, seed=3)
    assert isinstance(got, PairedDifference)
    assert got == corpus_difference(macro_f1, targets, first, second, seed=3)
    value, low, high = known(got.estimate)
    assert low < value < high
    assert high - low < 0.08
    assert (got.p_value < 0.05) == (low > 0)
    same = corpus_difference(macro_f1, targets, first, first)
    assert isinstance(same, PairedDifference)
    assert same.p_value > 0.9


def test_clusters_are_drawn_whole():
    targets, said = answers(200, 4, 0.7, 1)
    alone, copied = (
        known(corpus_metric(macro_f1, targets * times, said * times, clusters=list(range(200)) * times))
        for times in (1, 4)
    )
    assert copied == pytest.approx(alone)


def test_too_few_items_for_the_classes_have_a_value_without_an_interval():
    targets, said = answers(40, 10, 0.8, 1)
    got = corpus_metric(macro_f1, targets, said)
    assert isinstance(got, Estimate)
    assert got.interval == Unknown("an interval over 10 classes takes 50 items, and there are 40")
    assert isinstance(corpus_metric(macro_f1, [], []), Unknown)
