"""What became of simulated requests: waits, first tokens, ends, and how busy the replicas were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from steelyard.sizing.traffic import Counts, Seconds

Metric: TypeAlias = Literal["ttft", "tpot", "latency", "wait"]


@dataclass(frozen=True, eq=False)
class Served:
    """What became of every request, in the order of arrival: moments in seconds.

    `refused`: longer than the cache, never served; their moments are NaN. `busy_seconds`: replica-seconds with at least
    one step or slot at work, over all replicas (slots: divided by the slots of a replica). `most_cached`: the most KV
    tokens that any replica had reserved.
    """

    arrived: Seconds
    started: Seconds
    first_token: Seconds
    ended: Seconds
    outputs: Counts
    replica: Counts
    refused: NDArray[np.bool_]
    replicas: int
    busy_seconds: float
    most_cached: int = 0

    def after(self, share: float) -> Served:
        """Without the first `share` of requests, which met an empty system; `busy_seconds` stays that of all."""
        kept = slice(int(share * len(self.arrived)), None)
        return Served(
            self.arrived[kept],
            self.started[kept],
            self.first_token[kept],
            self.ended[kept],
            self.outputs[kept],
            self.replica[kept],
            self.refused[kept],
            self.replicas,
            self.busy_seconds,
            self.most_cached,
        )

    def seconds(self, metric: Metric) -> Seconds:
        """The metric of every request that was served; time a token only of those with more than one."""
        served = ~self.refused
        if metric == "wait":
            return (self.started - self.arrived)[served]
        if metric == "ttft":
            return (self.first_token - self.arrived)[served]
        if metric == "latency":
            return (self.ended - self.arrived)[served]
        several = served & (self.outputs > 1)
        return (self.ended - self.first_token)[several] / (self.outputs[several] - 1)

    def quantile(self, metric: Metric, q: float) -> float:
        """NaN where nothing was served."""
        values = self.seconds(metric)
        return float(np.quantile(values, q)) if len(values) else math.nan

    @property
    def span_seconds(self) -> float:
        """From the first arrival to the last end."""
        return float(np.nanmax(self.ended) - self.arrived[0]) if not self.refused.all() else 0.0

    @property
    def utilisation(self) -> float:
        """The share of replica time at work; a batch of one is at work too."""
        span = self.span_seconds * self.replicas
        return self.busy_seconds / span if span else 0.0

    @property
    def requests_per_second(self) -> float:
        """Requests that ended, over the span."""
        return float((~self.refused).sum() / self.span_seconds) if self.span_seconds else 0.0
