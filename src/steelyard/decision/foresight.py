"""What a run of this size will be able to show, said before anything is spent."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median

from steelyard.decision.sentences import counted, percent, points, sentence
from steelyard.decision.store import load
from steelyard.errors import InputError
from steelyard.quantities import Unknown

NOTHING_BEFORE = Unknown("the study has no earlier run")


def disagreement(folder: Path) -> float | Unknown:
    """On what share of the samples two candidates disagreed in this study's last run: the median over its pairs."""
    try:
        pairs = load(folder).comparisons
    except (InputError, OSError):
        return NOTHING_BEFORE
    known = [pair.disagree for pair in pairs if isinstance(pair.disagree, float)]
    return median(known) if known else NOTHING_BEFORE


def foresight(
    n_test: int,
    contenders: int,
    calls: int,
    price: str,
    clusters: int = 0,
    disagree: float | Unknown = NOTHING_BEFORE,
) -> str:
    """One sentence. `price` is what the calls cost, in words; `clusters`: how many the samples come in, 0 if in none.

    Between any two of the contenders, all pairs together at 95 %. `disagree` takes the place of a guess.
    """
    from steelyard.stats.power import DISCORDANCE, POWER, smallest_difference

    spending = f"{counted(contenders, 'candidate')}, {counted(calls, 'call')}, {price}"
    if contenders < 2:
        return sentence(f"{counted(n_test, 'test sample')}; {spending}")
    pairs = contenders * (contenders - 1) // 2
    share = DISCORDANCE if isinstance(disagree, Unknown) else disagree
    last = "" if isinstance(disagree, Unknown) else ", as in the last run,"
    smallest = smallest_difference(n_test, share, pairs)
    if math.isinf(smallest):
        return sentence(f"{counted(n_test, 'test sample')} will show no difference, however large; {spending}")
    blur = f"; more, as they come in {counted(clusters, 'cluster')}" if clusters else ""
    return sentence(
        f"With {counted(n_test, 'test sample')} you will see differences of {points(smallest)} points (with "
        f"probability {POWER:g}, if{last} two candidates disagree on {percent(share)} of the samples{blur}); {spending}"
    )
