"""Slices: drawn towards the whole, as far as their few items demand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from steelyard.stats import Estimate, Interval, wilson
from steelyard.stats.slices import Slice, _posterior, shrunken


def cut(**parts: tuple[int, int]) -> tuple[Slice, ...]:
    """Slices from (right, n) by name."""
    values = [float(k < right) for right, n in parts.values() for k in range(n)]
    names = [name for name, (_, n) in parts.items() for _ in range(n)]
    return shrunken(values, names, {name: wilson(right, n) for name, (right, n) in parts.items()})


def value(estimate: object) -> float:
    assert isinstance(estimate, Estimate)
    return estimate.value


def test_the_eight_schools_come_out_as_in_the_book():
    """Gelman et al., Bayesian Data Analysis, table 5.3: posterior medians of 200 draws (so to about 2 points)."""
    effects = np.array([28, 8, -3, 7, -1, 1, 18, 12.0])
    errors = np.array([15, 10, 16, 11, 9, 11, 10, 18.0])
    _, middle, _ = _posterior(effects, errors**2, 0.95)
    assert middle == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=2)


def test_the_mixture_agrees_with_an_integral_taken_by_quadrature():
    means, variances = np.array([0.5, 0.7, 0.9]), np.array([0.01, 0.004, 0.002])

    def joint(spread: float) -> tuple[float, float]:
        weight = 1 / (variances + spread**2)
        overall = (weight * means).sum() / weight.sum()
        density = np.prod(norm.pdf(means, overall, weight**-0.5)) / np.sqrt(weight.sum())
        return density, density * (spread**2 * weight[0] * means[0] + variances[0] * weight[0] * overall)

    widest = 2 * means.std() + 2 * 0.1
    below, above = (quad(lambda s, k=k: joint(s)[k], 0, widest)[0] for k in (0, 1))
    assert _posterior(means, variances, 0.95)[1][0] == pytest.approx(above / below, abs=1e-4)


def test_a_small_slice_moves_far_and_a_large_one_hardly():
    small, large, other = cut(small=(2, 6), large=(160, 200), other=(150, 200))
    assert value(small.shrunk) - value(small.raw) > 0.15
    assert abs(value(large.shrunk) - value(large.raw)) < 0.01
    assert small.small
    assert not other.small


def test_five_right_answers_are_no_certainty():
    perfect, *_ = cut(perfect=(5, 5), a=(60, 100), b=(65, 100), c=(58, 100), d=(66, 100))
    assert isinstance(perfect.shrunk, Estimate)
    assert isinstance(perfect.shrunk.interval, Interval)
    assert 0.6 < perfect.shrunk.value < 0.8
    assert perfect.shrunk.interval.low < 0.6


def test_a_slice_that_stands_out_is_found_and_one_among_many_by_chance_is_not():
    bad, *_ = cut(bad=(20, 60), a=(60, 80), b=(62, 80))
    assert bad.stands_out
    assert not any(part.stands_out for part in cut(**{f"s{k}": (14 + k % 4, 20) for k in range(20)}))


def test_a_single_slice_is_left_as_it_is():
    (only,) = cut(all=(3, 9))
    assert only.raw == only.shrunk
    assert only.p_value == 1.0
