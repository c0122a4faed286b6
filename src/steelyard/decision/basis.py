"""All that the sentences beside a verdict are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from steelyard.decision.record import Comparison, DataSummary, Evidence, Standing
from steelyard.trials import Measurement
from steelyard.usecase import UseCase


@dataclass(frozen=True)
class Basis:
    """The study, the evidence by candidate id, the lines in order, and the outcome.

    `best_model` is the best language model (it may be the winner); `reasons` are those of the choice.
    """

    case: UseCase
    data: DataSummary
    evidence: Mapping[str, Evidence]
    lines: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    winner: Standing | None
    best_model: Standing | None
    ties: tuple[Standing, ...]
    reasons: tuple[str, ...]
    made_at: datetime

    @property
    def measurements(self) -> Mapping[str, Measurement]:
        """The measurements there are, by candidate."""
        return {
            id: known.measurement for id, known in self.evidence.items() if isinstance(known.measurement, Measurement)
        }
