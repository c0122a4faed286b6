"""Tiers are led by their best member."""

from __future__ import annotations

from steelyard.stats import tiers


def apart(*pairs: tuple[str, str]):
    known = {frozenset(pair) for pair in pairs}
    return lambda first, second: frozenset((first, second)) in known


def test_everyone_not_separable_from_the_leader_shares_its_tier():
    assert tiers(["a", "b", "c"], [0.5, 0.7, 0.69], apart(("b", "a"), ("c", "a"))) == [["b", "c"], ["a"]]


def test_two_followers_may_differ_because_inseparability_is_not_transitive():
    assert tiers(["a", "b", "c"], [0.8, 0.75, 0.7], apart(("a", "c"))) == [["a", "b"], ["c"]]
    assert tiers(["a", "b", "c"], [0.8, 0.75, 0.7], apart(("b", "c"))) == [["a", "b", "c"]]


def test_equal_values_keep_the_order_given_and_nobody_is_no_tier():
    assert tiers(["b", "a"], [0.5, 0.5], apart()) == [["b", "a"]]
    assert tiers([], [], apart()) == []
