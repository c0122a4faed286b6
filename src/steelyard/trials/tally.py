"""What is kept of one candidate's trials as they come in: a few numbers a sample, never the answers' text.

The journal holds the whole trials; a run over a million samples holds them nowhere else.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy

from steelyard.providers.protocol import Usage
from steelyard.quantities import ZERO_USD, Money, Unknown
from steelyard.trials.measurement import DevChoice, Latency, Measurement, Trial
from steelyard.usecase import Sample

RIGHT, WRONG = 1.0, 0.0


class Tally:
    """One slot a sample, in the samples' order, all made at the start.

    Rates are shares of the scored samples. A message that the model cannot or will not answer (too long, filtered)
    is scored as wrong; any other failure is no score. Both are counted in `failures`.
    """

    def __init__(self, candidate: str, samples: Sequence[Sample]) -> None:
        self.candidate = candidate
        self.done = 0
        self.failures: Counter[str] = Counter()
        self._samples = samples
        self._scores: list[float | Unknown | None] = [None] * len(samples)
        self._answers: list[str] = [""] * len(samples)
        self._seconds = array("d", [math.nan]) * len(samples)
        self._first_token_seconds = array("d", [math.nan]) * len(samples)
        self._lag_seconds = array("d", [math.nan]) * len(samples)
        self._usages: Counter[Usage] = Counter()
        self._labels: dict[str, str] = {}
        self._served: set[str] = set()
        self._spent: Money | Unknown = ZERO_USD
        self._strict = self._named = 0

    def add(self, index: int, trial: Trial) -> None:
        """Take in the trial of the sample with this index, once."""
        self.done += 1
        # Equal labels and scores are one object each, however many trials hold them.
        score = trial.score
        self._scores[index] = score if isinstance(score, Unknown) else {1.0: RIGHT, 0.0: WRONG}.get(score, score)
        self._answers[index] = self._labels.setdefault(trial.answer, trial.answer)
        self._named += bool(trial.answer)
        if trial.fault:
            self.failures[trial.fault] += 1
            return
        self._strict += trial.strict
        self._seconds[index] = trial.timing.total_seconds
        self._lag_seconds[index] = trial.lag_seconds
        if trial.timing.first_token_seconds is not None:
            self._first_token_seconds[index] = trial.timing.first_token_seconds
        self._usages[trial.usage] += 1
        self._served.add(trial.served_model)
        if not isinstance(self._spent, Unknown):
            self._spent = trial.cost if isinstance(trial.cost, Unknown) else self._spent + trial.cost

    def latency(self, note: str) -> Latency | Unknown:
        """The stamps of all answered samples."""
        total, first, lag = (_known(each) for each in (self._seconds, self._first_token_seconds, self._lag_seconds))
        if not total:
            return Unknown("no request was answered")
        return Latency(total, first, note, sorted(lag)[math.ceil(0.95 * len(lag)) - 1])

    def snapshot(self) -> Tally:
        """What has come in so far, for another thread."""
        still = copy(self)
        still._scores, still._answers = self._scores.copy(), self._answers.copy()
        still._usages, still.failures, still._served = self._usages.copy(), self.failures.copy(), self._served.copy()
        return still

    def measurement(
        self,
        settings: str,
        choices: tuple[DevChoice, ...],
        throughput: float | Unknown,
        latency: Latency | Unknown,
    ) -> Measurement:
        """All that has come in so far."""
        here = [index for index, score in enumerate(self._scores) if score is not None]
        scores = tuple(score for score in self._scores if score is not None)
        scored = sum(not isinstance(score, Unknown) for score in scores)
        of = max(1, scored)
        return Measurement(
            candidate=self.candidate,
            samples=tuple(self._samples[index].id for index in here),
            scores=scores,
            answers=tuple(self._answers[index] for index in here),
            strict_rate=self._strict / of,
            lenient_rate=self._named / of,
            unparseable_rate=(scored - self._named) / of,
            usages=dict(self._usages),
            calls=self.done,
            spent=self._spent,
            latency=latency,
            throughput_per_second=throughput,
            settings=settings,
            dev_choices=choices,
            served_models=tuple(sorted(self._served)),
            failures=dict(self.failures),
        )


def _known(slots: Iterable[float]) -> tuple[float, ...]:
    return tuple(value for value in slots if not math.isnan(value))
