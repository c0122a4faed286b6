"""From an answer, or from a failure, to a Trial with its score and cost."""

from __future__ import annotations

from datetime import datetime

from steelyard.catalogue import Candidate, Offer
from steelyard.errors import ProviderError
from steelyard.providers.protocol import Timing, Usage
from steelyard.quantities import ZERO_USD, Money, Seconds, Unknown
from steelyard.trials.classify import Answer
from steelyard.trials.measurement import Trial
from steelyard.usecase import Sample

RAW_CHARACTERS = 10_000
"""So much of what a model said is kept: the label was taken from the whole, and nobody reads more."""


def price_of(candidate: Candidate, usage: Usage, at: datetime) -> Money | Unknown:
    """What a call of this usage costs; own machines are not paid by the call."""
    if candidate.way != "api":
        return ZERO_USD
    return candidate.offer.price(usage, at) if isinstance(candidate.offer, Offer) else candidate.offer


def answered(candidate: Candidate, sample: Sample, answer: Answer, at: datetime, lag_seconds: float) -> Trial:
    """The answer against the sample: right is 1, wrong is 0."""
    return Trial(
        candidate=candidate.id,
        sample=sample.id,
        answer=answer.label,
        strict=answer.strict,
        score=float(answer.label == sample.target),
        raw=answer.raw[:RAW_CHARACTERS],
        usage=answer.usage,
        timing=answer.timing,
        cost=price_of(candidate, answer.usage, at),
        served_model=answer.served_model,
        label_scores=answer.scores,
        lag_seconds=lag_seconds,
    )


def failed_trial(candidate: str, sample: Sample, error: ProviderError) -> Trial:
    """A call that got no answer.

    What the model cannot or will not answer is wrong, today and tomorrow. Any other failure is no score.
    """
    own, reason = error.fault.of_the_model, Unknown(error.problems[0].what)
    return Trial(
        candidate=candidate,
        sample=sample.id,
        answer="",
        strict=False,
        score=0.0 if own else reason,
        raw="",
        usage=Usage(),
        timing=Timing(Seconds(0.0)),
        cost=ZERO_USD if own else reason,
        served_model="",
        fault=error.fault.value,
    )
