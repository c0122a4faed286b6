"""Many comparisons at once: p-values that keep the family-wise error."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given: reject where adjusted < alpha and at most a share alpha of
    studies makes even one false rejection, whatever the dependence (Holm, Scand. J. Statistics 6 (1979)).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def not_beaten(names: Sequence[str], beaten_by: Callable[[str, str], bool]) -> list[str]:
    """Those whom nobody beats, in the order given; `beaten_by(a, b)`: whether a is shown to be worse than b.

    With the Holm-adjusted comparisons of all pairs this holds the truly best one in at least 95 % of studies: it is
    left out only by a false rejection. It may hold more than one tier's members, and several that differ.
    """
    return [name for name in names if not any(beaten_by(name, other) for other in names if other != name)]
