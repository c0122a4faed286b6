"""Power before spending, and what more items would bring."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multinomial

from steelyard.stats.paired import mcnemar
from steelyard.stats.power import (
    chance_to_separate,
    items_needed,
    more_items,
    power,
    smallest_difference,
)


@pytest.mark.parametrize(
    ("n", "gap", "discordance", "pairs"), [(30, 0.3, 0.4, 1), (40, 0.2, 0.25, 3), (25, 0.5, 0.2, 1)]
)
def test_power_is_the_sum_over_all_tables_that_the_test_rejects(n, gap, discordance, pairs):
    """Every (wins, losses) with its multinomial probability; the shares follow from gap and discordance."""
    share = max(gap, discordance)
    shares = [(share + gap) / 2, (share - gap) / 2, 1 - share]
    expected = sum(
        multinomial.pmf([wins, losses, n - wins - losses], n, shares)
        for wins in range(n + 1)
        for losses in range(n + 1 - wins)
        if wins > losses and mcnemar(wins, losses) < 0.05 / pairs
    )
    assert power(n, gap, discordance, pairs) == pytest.approx(expected, abs=1e-9)


def test_the_smallest_difference_is_found_with_the_chance_asked_for_and_shrinks_with_n():
    found = [smallest_difference(n, pairs=3) for n in (50, 200, 1000, 20_000)]
    assert found == sorted(found, reverse=True)
    assert power(200, found[1], pairs=3) == pytest.approx(0.8, abs=0.01)
    assert smallest_difference(3) == math.inf


def test_items_needed_and_smallest_difference_are_each_others_inverse():
    n = items_needed(0.06, pairs=3)
    assert smallest_difference(n, pairs=3) == pytest.approx(0.06, abs=0.001)
    with pytest.raises(ValueError, match="nothing"):
        items_needed(0)


def test_more_items_reach_the_chance_that_they_were_asked_for():
    more = more_items(30, 20, 240)
    assert more is not None
    assert chance_to_separate(30, 20, 240, more) >= 0.7
    assert chance_to_separate(30, 20, 240, more // 2) < 0.7
    assert more_items(5, 5, 200) is None or more_items(5, 5, 200) > 2000


def test_what_is_separated_already_needs_next_to_nothing():
    assert chance_to_separate(40, 10, 240, 1) > 0.95


def test_the_chance_agrees_with_a_simulation_of_its_own():
    """Shares from the posterior by gamma variates, new items one table at a time."""
    random = np.random.default_rng(9)
    hits = 0
    for _ in range(3000):
        shares = random.gamma([15.0, 9.0, 100.0])
        wins, losses, _ = random.multinomial(150, shares / shares.sum())
        hits += mcnemar(12 + wins, 6 + losses) < 0.05
    assert chance_to_separate(12, 6, 100, 150) == pytest.approx(hits / 3000, abs=0.03)
