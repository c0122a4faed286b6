"""From a measurement to Estimates: quality, rates, latency quantiles, throughput."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated, mean, quantile, wilson
from steelyard.trials import Latency, Measurement, NotMeasured


@dataclass(frozen=True)
class Figures:
    """What was measured of one candidate; all Unknown with the same reason when nothing was."""

    quality: Estimated
    strict_rate: Estimated
    lenient_rate: Estimated
    unparseable_rate: Estimated
    latency_p50: Estimated
    latency_p95: Estimated
    ttft_p95: Estimated
    loop_lag: Estimated
    throughput_per_second: Estimated


def figures(measurement: Measurement | NotMeasured, clusters: Mapping[str, str] | None = None) -> Figures:
    """Estimate every figure. A failed call is no score and enters no figure.

    Quality is a Wilson interval for scores of 0 and 1, its like for other scores. `clusters` (sample id -> group;
    a sample without one stands alone) makes it cluster-robust where a group holds several scored samples.
    """
    if isinstance(measurement, NotMeasured):
        nothing = Unknown(measurement.reason)
        return Figures(*[nothing] * 9)
    answered = len(scored(measurement))
    latency = measurement.latency
    rate = measurement.throughput_per_second
    return Figures(
        quality=_quality(measurement, clusters),
        strict_rate=wilson(measurement.strict_rate * answered, answered),
        lenient_rate=wilson(measurement.lenient_rate * answered, answered),
        unparseable_rate=wilson(measurement.unparseable_rate * answered, answered),
        latency_p50=_latency(latency, 0.5),
        latency_p95=_latency(latency, 0.95),
        ttft_p95=_first_token(latency),
        loop_lag=_lag(latency),
        throughput_per_second=rate
        if isinstance(rate, Unknown)
        else Estimate(rate, Unknown("one run, on one machine"), answered, "requests over seconds", "requests/s"),
    )


def scored(measurement: Measurement) -> Mapping[str, float]:
    """Score by sample id, without the samples that have none."""
    both = zip(measurement.samples, measurement.scores, strict=True)
    return {sample: score for sample, score in both if not isinstance(score, Unknown)}


def _quality(measurement: Measurement, clusters: Mapping[str, str] | None) -> Estimated:
    scores = scored(measurement)
    if not scores:
        return Unknown("no call gave a score")
    groups = None if clusters is None else [clusters.get(sample) or sample for sample in scores]
    return quality_of_scores(list(scores.values()), groups)


def quality_of_scores(values: list[float], groups: Sequence[str] | None) -> Estimated:
    """The mean of some scores; `groups` names each one's cluster."""
    grouped = groups is not None and len(set(groups)) < len(groups)
    if not grouped and all(value in (0, 1) for value in values):
        return wilson(sum(values), len(values))
    return mean(values, "share", clusters=groups)


def _latency(latency: Latency | Unknown, q: float) -> Estimated:
    if isinstance(latency, Unknown):
        return latency
    return _timed(quantile(latency.total_seconds, q, "seconds"), latency)


def _first_token(latency: Latency | Unknown) -> Estimated:
    if isinstance(latency, Unknown):
        return latency
    if not latency.first_token_seconds:
        return Unknown("the answers did not stream")
    return _timed(quantile(latency.first_token_seconds, 0.95, "seconds"), latency)


def _lag(latency: Latency | Unknown) -> Estimated:
    if isinstance(latency, Unknown):
        return latency
    no_interval = Unknown("the lag of the answers timed, not a sample of it")
    return Estimate(latency.lag_seconds, no_interval, len(latency.total_seconds), "19 of 20 at most", "seconds")


def _timed(estimate: Estimated, latency: Latency) -> Estimated:
    """With the way of timing in its method: requests beside others are not single requests."""
    if isinstance(estimate, Unknown) or not latency.note:
        return estimate
    return replace(estimate, method=f"{latency.note}; {estimate.method}")
