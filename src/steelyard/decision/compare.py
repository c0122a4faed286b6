"""Every pair of measured candidates on the samples both have a score for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from steelyard.decision.figures import scored
from steelyard.decision.record import Comparison
from steelyard.quantities import Unknown
from steelyard.stats import holm, paired_difference
from steelyard.trials import Measurement

ALPHA = 0.05


def compare(measurements: Sequence[Measurement], clusters: Mapping[str, str] | None = None) -> tuple[Comparison, ...]:
    """Paired differences of all pairs, in the order given, p-values adjusted over all of them (Holm).

    A sample enters a pair when both have a score: a failed call is no score, and `difference.n` counts what is
    left. A pair without a common sample is left out. Give the best first: a difference is first minus second.
    """
    found = []
    for first, second in combinations(measurements, 2):
        ours, theirs = scored(first), scored(second)
        common = [sample for sample in first.samples if sample in ours and sample in theirs]
        groups = None if clusters is None else [clusters.get(sample) or sample for sample in common]
        paired = paired_difference([ours[s] for s in common], [theirs[s] for s in common], groups)
        if not isinstance(paired, Unknown):
            disagree = sum(abs(ours[s] - theirs[s]) for s in common) / len(common)
            found.append((first.candidate, second.candidate, paired, disagree))
    adjusted = holm([paired.p_value for _, _, paired, _ in found])
    return tuple(
        Comparison(first, second, paired.estimate, paired.p_value, p, p < ALPHA, disagree)
        for (first, second, paired, disagree), p in zip(found, adjusted, strict=True)
    )


def comparison_of(comparisons: Sequence[Comparison], first: str, second: str) -> Comparison | None:
    """The comparison of two candidates, turned so that the difference is `first` minus `second`."""
    for known in comparisons:
        if (known.first, known.second) == (first, second):
            return known
        if (known.first, known.second) == (second, first):
            return known.turned()
    return None


def separable_in(comparisons: Sequence[Comparison]) -> Callable[[str, str], bool]:
    """Whether two candidates can be told apart; those that were never compared cannot."""

    def separable(first: str, second: str) -> bool:
        known = comparison_of(comparisons, first, second)
        return known is not None and known.separable

    return separable
