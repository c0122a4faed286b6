"""How far the figures carry: who is not beaten, who is within the margin, what more samples would bring, slices."""

from __future__ import annotations

from dataclasses import dataclass

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated


@dataclass(frozen=True)
class Against:
    """One candidate against the best of those that passed: its quality less the best one's.

    `items`: over these very samples; `traffic`: over traffic that they stand for. `within_items`, `within_traffic`:
    whether it is shown to be less than the margin worse (all candidates together at 95 %); Unknown without a margin.
    """

    candidate: str
    items: Estimate
    traffic: Estimate
    within_items: bool | Unknown
    within_traffic: bool | Unknown
    cheaper: bool


@dataclass(frozen=True)
class NextSamples:
    """How many more samples would tell `first` and `second` apart with the probability `chance`."""

    first: str
    second: str
    samples: int | Unknown
    chance: float


@dataclass(frozen=True)
class SliceFigure:
    """One candidate on the samples whose `column` reads `part`.

    `raw` rests on these alone, `shrunk` is drawn towards the candidate's mean as far as so few demand. `p_adjusted`:
    of being like the rest, over all figures looked at. `stands_out`: it is below 0.05.
    """

    column: str
    part: str
    candidate: str
    n: int
    raw: Estimated
    shrunk: Estimated
    p_adjusted: float
    small: bool
    stands_out: bool


@dataclass(frozen=True)
class CorpusFigure:
    """A metric of all answers together, which is no mean of scores; `less_best`: less that of the best, paired.

    `p_adjusted`: of no difference, over all candidates and metrics told. The best itself has Unknown and 1.
    """

    metric: str
    candidate: str
    value: Estimated
    less_best: Estimated
    p_adjusted: float


@dataclass(frozen=True)
class Certainty:
    """All of it; `sentences` and `slice_warnings` say the main things in words.

    `best` is whom the others are compared with: the most accurate that passed ("" if nobody did).
    """

    best: str
    not_beaten: tuple[str, ...]
    margin: float | Unknown
    against: tuple[Against, ...]
    next_samples: NextSamples | Unknown
    slices: tuple[SliceFigure, ...]
    sentences: tuple[str, ...]
    slice_warnings: tuple[str, ...]
    corpus: tuple[CorpusFigure, ...] = ()
