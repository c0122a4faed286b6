"""From trials to a Measurement: alignment, rates, failures. No statistics: those are for the decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from steelyard.quantities import ZERO_USD, Money, Unknown
from steelyard.trials.measurement import DevChoice, Measurement, Trial
from steelyard.usecase import Sample


def summarise(
    candidate: str,
    trials: Sequence[Trial],
    settings: str,
    choices: tuple[DevChoice, ...],
    throughput: float | Unknown,
) -> Measurement:
    """One candidate's trials as a Measurement. Rates are shares of the scored samples; latency comes later.

    A message that the model cannot or will not answer (too long, filtered) is scored as wrong; any other failure is
    no score. Both are counted in `failures`.
    """
    answered = [trial for trial in trials if not trial.fault]
    scored = [trial for trial in trials if not isinstance(trial.score, Unknown)]
    of = max(1, len(scored))
    strict = sum(trial.strict for trial in answered)
    named = sum(bool(trial.answer) for trial in answered)
    return Measurement(
        candidate=candidate,
        samples=tuple(trial.sample for trial in trials),
        scores=tuple(trial.score for trial in trials),
        answers=tuple(trial.answer for trial in trials),
        strict_rate=strict / of,
        lenient_rate=named / of,
        unparseable_rate=(len(scored) - named) / of,
        usages=tuple(trial.usage for trial in answered),
        calls=len(trials),
        spent=_spent(answered),
        latency=Unknown("not measured yet"),
        throughput_per_second=throughput,
        settings=settings,
        dev_choices=choices,
        served_models=tuple(sorted({trial.served_model for trial in answered})),
        failures=dict(Counter(trial.fault for trial in trials if trial.fault)),
    )


def dev_choice(
    shots: int,
    calibration: str,
    trials: Sequence[Trial],
    samples: Sequence[Sample],
    labels: Sequence[str],
    priors: tuple[float, ...] | None,
) -> DevChoice:
    """Dev accuracy of one setting; with PMI the labels are ranked anew from scores already paid for."""
    right, n = 0, 0
    for trial, sample in zip(trials, samples, strict=True):
        if isinstance(trial.score, Unknown):
            continue
        answer = trial.answer
        if calibration == "pmi" and priors is not None and trial.label_scores is not None:
            gains = [score - prior for score, prior in zip(trial.label_scores, priors, strict=True)]
            answer = labels[gains.index(max(gains))]
        right, n = right + (answer == sample.target), n + 1
    return DevChoice(shots, calibration, right / n if n else 0.0, n, chosen=False)


def _spent(trials: Sequence[Trial]) -> Money | Unknown:
    total = ZERO_USD
    for trial in trials:
        if isinstance(trial.cost, Unknown):
            return trial.cost
        total += trial.cost
    return total
