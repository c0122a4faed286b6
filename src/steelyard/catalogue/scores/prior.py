"""What to expect of a model before it is measured, from what others published: a guess with its formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from steelyard.catalogue.model import PublicScore
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated, Interval

HALF_LIFE_DAYS = 365.0
"""A score loses half its weight in a year: test sets leak and harnesses change. A convention, not a measurement."""

SELF_REPORTED = 0.5
"""What a score says that its maker published, beside one by others: the best run is the one that gets published."""

FAMILY = 1.0
"""How many fresh independent scores the family's mean is worth."""

LEVEL = 0.95
DEVIATIONS = 1.96


def prior(scores: Sequence[PublicScore], family: Sequence[float], at: date) -> Estimated:
    """The share that a model may reach on one benchmark: its scores, shrunk to its family's mean.

    w_i = (SELF_REPORTED if self-reported else 1) * 2^(-age_i / HALF_LIFE_DAYS)
    theta = (FAMILY * m + sum w_i s_i) / (FAMILY + sum w_i), m and t being mean and deviation of `family`
    deviation of theta = t * sqrt(FAMILY / (FAMILY + sum w_i))

    This is the normal-normal posterior mean with a known ratio of variances (Efron and Morris 1975, section 2), where
    we set the ratio instead of estimating it: public scores are too few a family. `family` holds one share for each
    other model of the family; with fewer than three the spread between models is not known, and so is nothing here.
    The age is that of the score, never below zero. Only shares between 0 and 1 are taken.
    """
    usable = [score for score in scores if score.unit == "share" and 0 <= score.value <= 1]
    others = [value for value in family if 0 <= value <= 1]
    if len(others) < 3:
        return Unknown(f"{len(others)} other models of its family have a public score here; it takes 3")
    mean = sum(others) / len(others)
    spread = math.sqrt(sum((value - mean) ** 2 for value in others) / (len(others) - 1))
    weights = [_weight(score, at) for score in usable]
    total = FAMILY + sum(weights)
    value = (FAMILY * mean + sum(w * score.value for w, score in zip(weights, usable, strict=True))) / total
    margin = DEVIATIONS * spread * math.sqrt(FAMILY / total)
    return Estimate(
        value=value,
        interval=Interval(max(0.0, value - margin), min(1.0, value + margin), LEVEL),
        n=len(usable),
        method=f"public scores, aged and discounted, shrunk to the mean of {len(others)} models of the family",
        unit="share",
    )


def _weight(score: PublicScore, at: date) -> float:
    age = max(0, (at - date.fromisoformat(score.as_of)).days)
    return (SELF_REPORTED if score.self_reported else 1.0) * math.exp2(-age / HALF_LIFE_DAYS)
