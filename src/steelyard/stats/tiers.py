"""Tiers: candidates that cannot be told apart from the tier's best share its tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def tiers(names: Sequence[str], values: Sequence[float], separable: Callable[[str, str], bool]) -> list[list[str]]:
    """Sort by value, best first; the best one left leads a tier, and all not separable from it join; repeat.

    "Cannot be told apart" is not transitive (A from B no, B from C no, A from C yes), so no grouping can honour
    every pair. A tier means only: none of its members is shown to be worse than its leader. Two of its followers may
    differ, and a follower may be inseparable from a lower tier's leader. A follower that differs from the leader on
    few items may even stand below (in value) one that is separable and opens the next tier.
    """
    left = [name for _, name in sorted(zip(values, names, strict=True), key=lambda pair: -pair[0])]
    found: list[list[str]] = []
    while left:
        leader = left[0]
        tier = [leader] + [name for name in left[1:] if not separable(leader, name)]
        left = [name for name in left if name not in tier]
        found.append(tier)
    return found
