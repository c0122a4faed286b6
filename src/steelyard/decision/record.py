"""A decision as frozen values: everything the report, the endpoint and a later re-check need, nothing to compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from steelyard.catalogue.model import Candidate, Openness
from steelyard.costs import Cost
from steelyard.costs.outlook import CostOutlook
from steelyard.decision.certainty import Certainty
from steelyard.licences import Verdict
from steelyard.quantities import Money, Unknown
from steelyard.stats import Estimate, Estimated, Interval
from steelyard.trials import DevChoice, Measurement, NotMeasured
from steelyard.usecase import Dataset

SCHEMA_VERSION = "1.0"
SMALL_LAG = 0.10
"""A lag of at most this share of the median latency is small against it."""

GateName: TypeAlias = Literal["licence", "privacy", "ways", "quality", "latency", "budget"]


@dataclass(frozen=True)
class Evidence:
    """All that is known of one candidate before deciding; each part may be Unknown(reason)."""

    candidate: Candidate
    licence: Verdict
    measurement: Measurement | NotMeasured
    cost: Cost | Unknown


@dataclass(frozen=True)
class Gate:
    """One hard condition applied to one candidate: the limit, the value that met or failed it, how far off.

    `outcome` "unknown" (no value to test) does not pass. `detail` is a computed sentence with number or clause.
    """

    name: GateName
    outcome: Literal["passed", "failed", "unknown"]
    limit: str
    value: str
    detail: str


@dataclass(frozen=True)
class Standing:
    """One candidate's line in the decision. `tier` 1 is best; None when it is not ranked.

    `settings` says how it ran ("12 shots, PMI"). `not_measured` is the reason, "" when it was measured. `loop_lag`:
    how late this machine's event loop ran when it stamped the answers, and so how much of each latency may be its own.
    `failed`: it gave way while it was measured, so the result is partial.
    """

    candidate: str
    name: str
    vendor: str
    openness: Openness
    way: str
    is_language_model: bool
    parameters: str
    tier: int | None
    quality: Estimated
    strict_rate: Estimated
    lenient_rate: Estimated
    unparseable_rate: Estimated
    latency_p50: Estimated
    latency_p95: Estimated
    ttft_p95: Estimated
    throughput_per_second: Estimated
    cost: Cost | Unknown
    licence: Verdict
    gates: tuple[Gate, ...]
    settings: str
    not_measured: str
    dev_choices: tuple[DevChoice, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    served_models: tuple[str, ...] = ()
    loop_lag: Estimated = Unknown("not recorded")
    failed: bool = False
    latency_seconds: tuple[float, ...] = ()

    @property
    def clocked(self) -> bool:
        """The lag is small against the median latency: what was timed is the model, not this machine."""
        p50, lag = self.latency_p50, self.loop_lag
        return isinstance(p50, Estimate) and isinstance(lag, Estimate) and lag.value <= SMALL_LAG * p50.value

    @property
    def passed(self) -> bool:
        """Measured, and every gate passed."""
        return not self.not_measured and all(gate.outcome == "passed" for gate in self.gates)

    @property
    def ruled_out_by(self) -> tuple[Gate, ...]:
        """The gates that did not pass."""
        return tuple(gate for gate in self.gates if gate.outcome != "passed")


@dataclass(frozen=True)
class Comparison:
    """A paired difference on the same items: `first` minus `second`, with the Holm-adjusted p-value.

    `disagree`: the mean size of the difference of an item; with scores of 0 and 1 the share on which one is right.
    """

    first: str
    second: str
    difference: Estimate
    p_value: float
    p_adjusted: float
    separable: bool
    disagree: float | Unknown = Unknown("not recorded")

    def turned(self) -> Comparison:
        """The same comparison as `second` minus `first`."""
        interval = self.difference.interval
        if isinstance(interval, Interval):
            interval = Interval(-interval.high, -interval.low, interval.level)
        difference = replace(self.difference, value=-self.difference.value, interval=interval)
        return replace(self, first=self.second, second=self.first, difference=difference)


@dataclass(frozen=True)
class WouldNeed:
    """What an unmeasured candidate would have to reach to change the verdict, and what finding out costs."""

    candidate: str
    reason: str
    needed_quality: Estimated
    calls: int
    cost_to_find_out: Money | Unknown
    sentence: str


@dataclass(frozen=True)
class DataSummary:
    """What was measured on. `peeks` counts how many runs have looked at this sealed test set, this one included."""

    n_dev: int
    n_test: int
    n_labels: int
    fingerprint: str
    exact_leaks: int
    near_leaks: int
    odd_rows: tuple[str, ...]
    peeks: int

    @classmethod
    def of(cls, data: Dataset, peeks: int) -> DataSummary:
        """The summary of a dataset that has been looked at `peeks` times."""
        return cls(
            n_dev=len(data.dev),
            n_test=len(data.test),
            n_labels=len(data.labels),
            fingerprint=data.fingerprint,
            exact_leaks=sum(leak.similarity == 1.0 for leak in data.leaks),
            near_leaks=sum(leak.similarity < 1.0 for leak in data.leaks),
            odd_rows=tuple(f"{odd.file}:{odd.row}: {odd.reason}" for odd in data.odd_rows),
            peeks=peeks,
        )


@dataclass(frozen=True)
class Decision:
    """The answer, its doubts, and everything it rests on. `fallback_order` lists ids for serving, winner first.

    `verdict` and every sentence are computed from the figures. `assumptions` and `duties` stand beside the winner.
    """

    study: str
    question: str
    made_at: str
    metric: str
    verdict: str
    winner: str | None
    best_language_model: str | None
    ties: tuple[str, ...]
    margin: Comparison | None
    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    would_need: tuple[WouldNeed, ...]
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    recheck_when: tuple[str, ...]
    duties: tuple[str, ...]
    questions: tuple[str, ...]
    requirements: tuple[str, ...]
    preference: Mapping[str, float]
    workload: str
    privacy: str
    intended_use: str
    data: DataSummary
    fallback_order: tuple[str, ...]
    versions: Mapping[str, str]
    provisional: bool = False
    schema_version: str = SCHEMA_VERSION
    costs: CostOutlook | Unknown = Unknown("not worked out in this run")
    certainty: Certainty | Unknown = Unknown("not worked out in this run")

    @property
    def barred(self) -> tuple[str, ...]:
        """Those that a gate rules out."""
        return tuple(s.candidate for s in self.standings if any(gate.outcome == "failed" for gate in s.gates))

    def standing(self, candidate: str) -> Standing:
        """The line of one candidate."""
        return next(line for line in self.standings if line.candidate == candidate)
