"""Holm's adjustment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.stats import holm
from steelyard.stats.multiple import not_beaten


def test_holm_on_a_worked_example():
    """R: p.adjust(c(0.01, 0.02, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_values_keep_the_order_and_lie_between_raw_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for raw, new in zip(p_values, adjusted, strict=True):
        assert raw <= new <= min(1.0, raw * len(p_values)) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_at_most_five_studies_in_a_hundred_make_a_false_rejection():
    draws = np.random.default_rng(3).uniform(size=(4000, 10))
    assert np.mean([min(holm(list(row))) < 0.05 for row in draws]) == pytest.approx(0.05, abs=0.01)


def test_not_beaten_are_those_whom_nobody_is_shown_to_be_better_than():
    worse = {("b", "a"), ("d", "a"), ("d", "c")}
    assert not_beaten(["a", "b", "c", "d"], lambda one, other: (one, other) in worse) == ["a", "c"]
    assert not_beaten([], lambda one, other: True) == []
