"""What a setting is worth on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steelyard.quantities import Unknown
from steelyard.trials.measurement import DevChoice, Trial
from steelyard.usecase import Sample


def dev_choice(
    shots: int,
    calibration: str,
    trials: Mapping[int, Trial],
    samples: Sequence[Sample],
    labels: Sequence[str],
    priors: tuple[float, ...] | None,
) -> DevChoice:
    """Dev accuracy of one setting; with PMI the labels are ranked anew from scores already paid for.

    `trials` are keyed by the index of their sample.
    """
    right, n = 0, 0
    for index, trial in trials.items():
        if isinstance(trial.score, Unknown):
            continue
        answer = trial.answer
        if calibration == "pmi" and priors is not None and trial.label_scores is not None:
            gains = [score - prior for score, prior in zip(trial.label_scores, priors, strict=True)]
            answer = labels[gains.index(max(gains))]
        right, n = right + (answer == samples[index].target), n + 1
    return DevChoice(shots, calibration, right / n if n else 0.0, n, chosen=False)
