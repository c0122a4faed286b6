"""What the runner hands on: one Trial a call, one Measurement a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard.providers.protocol import Timing, Usage
from steelyard.quantities import Money, Unknown


@dataclass(frozen=True)
class Trial:
    """One candidate answering one sample once.

    `score` in [0, 1] or the reason there is none (a provider failure is never a zero).
    `answer` is the label taken from the answer ("" when none could be taken); `strict` tells whether the whole
    answer was exactly that label; `raw` is what the model said (empty for label scoring).
    `label_scores` are the log-probabilities of all labels where they were asked for. `fault` names a provider
    failure ("" = answered). `lag_seconds`: how late the event loop ran when it stamped the answer.
    `cached`: taken from the journal, not called again.
    """

    candidate: str
    sample: str
    answer: str
    strict: bool
    score: float | Unknown
    raw: str
    usage: Usage
    timing: Timing
    cost: Money | Unknown
    served_model: str
    label_scores: tuple[float, ...] | None = None
    fault: str = ""
    lag_seconds: float = 0.0
    cached: bool = False


@dataclass(frozen=True)
class DevChoice:
    """One row of the choice made on dev: settings and their dev accuracy; `chosen` marks the one taken."""

    shots: int
    calibration: str
    accuracy: float
    n: int
    chosen: bool


@dataclass(frozen=True)
class Latency:
    """Seconds of answered requests; `note` says how they were timed.

    `lag_seconds`: how late the event loop ran that stamped them, for 19 of 20 of them at most: so much of each may
    be its own delay.
    """

    total_seconds: tuple[float, ...]
    first_token_seconds: tuple[float, ...] = ()
    note: str = ""
    lag_seconds: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """All trials of one candidate on the test set, aligned with `samples` (ids in the shared order).

    `settings` says how it was run ("12 shots, PMI"). `usages` are those of the answered samples: how often each
    occurred.
    `throughput_per_second` is requests per second of one replica in the run, or why there is none.
    `strict_rate`, `lenient_rate`, `unparseable_rate` are shares of answered samples (label scoring: 1, 1, 0).
    `failures` counts provider failures by kind; those samples have Unknown scores.
    """

    candidate: str
    samples: tuple[str, ...]
    scores: tuple[float | Unknown, ...]
    answers: tuple[str, ...]
    strict_rate: float
    lenient_rate: float
    unparseable_rate: float
    usages: Mapping[Usage, int]
    calls: int
    spent: Money | Unknown
    latency: Latency | Unknown
    throughput_per_second: float | Unknown
    settings: str = ""
    dev_choices: tuple[DevChoice, ...] = ()
    served_models: tuple[str, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NotMeasured:
    """Why a candidate has no measurement: no key, may not be sent, weights missing, every call failed.

    `gate` names the gate that forbids it ("privacy", "licence", "ways") or "" when it could still be measured.
    `failed`: measuring was begun, and the candidate gave way; the same command may well measure it another time.
    `calls` and `cost_to_find_out` say what measuring it on the test set would take.
    """

    candidate: str
    reason: str
    gate: str = ""
    calls: int = 0
    cost_to_find_out: Money | Unknown = field(default_factory=lambda: Unknown("not estimated"))
    failed: bool = False
