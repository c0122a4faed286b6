"""What a run of this size will be able to show, said before anything is spent."""

from __future__ import annotations

import math

from steelyard.decision.sentences import counted, percent, points, sentence


def foresight(n_test: int, contenders: int, calls: int, price: str, clusters: int = 0) -> str:
    """One sentence. `price` is what the calls cost, in words; `clusters`: how many the samples come in, 0 if in none.

    Between any two of the contenders, all pairs together at 95 %.
    """
    from steelyard.stats.power import DISCORDANCE, POWER, smallest_difference

    spending = f"{counted(contenders, 'candidate')}, {counted(calls, 'call')}, {price}"
    if contenders < 2:
        return sentence(f"{counted(n_test, 'test sample')}; {spending}")
    pairs = contenders * (contenders - 1) // 2
    smallest = smallest_difference(n_test, DISCORDANCE, pairs)
    if math.isinf(smallest):
        return sentence(f"{counted(n_test, 'test sample')} will show no difference, however large; {spending}")
    blur = f"; more, as they come in {counted(clusters, 'cluster')}" if clusters else ""
    return sentence(
        f"With {counted(n_test, 'test sample')} you will see differences of {points(smallest)} points (with "
        f"probability {POWER:g}, if two candidates disagree on {percent(DISCORDANCE)} of the samples{blur}); {spending}"
    )
