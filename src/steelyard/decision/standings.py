"""From evidence and gates to one candidate's line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from steelyard.catalogue import Candidate
from steelyard.decision.figures import figures
from steelyard.decision.gates import gates
from steelyard.decision.record import DataSummary, Evidence, Standing
from steelyard.decision.sentences import counted
from steelyard.quantities import Fact, Unknown
from steelyard.trials import Measurement, NotMeasured
from steelyard.usecase import UseCase


def standing(
    case: UseCase, evidence: Evidence, data: DataSummary, now: datetime, clusters: Mapping[str, str] | None = None
) -> Standing:
    """The line of one candidate, without its tier."""
    candidate, measurement = evidence.candidate, evidence.measurement
    known = figures(measurement, clusters)
    measured = measurement if isinstance(measurement, Measurement) else None
    return Standing(
        candidate=candidate.id,
        name=name_of(candidate),
        vendor=candidate.model.vendor,
        openness=candidate.model.openness,
        way=candidate.way,
        is_language_model=candidate.is_language_model,
        parameters=_parameters(candidate.model.parameters),
        tier=None,
        quality=known.quality,
        strict_rate=known.strict_rate,
        lenient_rate=known.lenient_rate,
        unparseable_rate=known.unparseable_rate,
        latency_p50=known.latency_p50,
        latency_p95=known.latency_p95,
        ttft_p95=known.ttft_p95,
        loop_lag=known.loop_lag,
        failed=isinstance(measurement, NotMeasured) and measurement.failed,
        throughput_per_second=known.throughput_per_second,
        cost=evidence.cost,
        licence=evidence.licence,
        gates=gates(case, evidence, now),
        settings=_settings(candidate, measurement, data),
        not_measured=known.quality.reason if isinstance(known.quality, Unknown) else "",
        dev_choices=measured.dev_choices if measured else (),
        failures=dict(measured.failures) if measured else {},
        served_models=measured.served_models if measured else (),
        latency_seconds=_single(measured),
    )


def _single(measured: Measurement | None) -> tuple[float, ...]:
    """Seconds of each request that was timed, to 10 microseconds: what a simulation of load draws from."""
    if measured is None or isinstance(measured.latency, Unknown):
        return ()
    return tuple(round(seconds, 5) for seconds in measured.latency.total_seconds)


def name_of(candidate: Candidate) -> str:
    """The model's name, with what sets this candidate apart from others of the same model."""
    name = candidate.model.name
    if "#" in candidate.id and candidate.weights is not None:
        name += f" ({candidate.weights.name})"
    if candidate.recipe:
        name += " with a fitted head" if candidate.recipe == "head" else f" with {candidate.recipe}"
    return name


def _settings(candidate: Candidate, measurement: Measurement | NotMeasured, data: DataSummary) -> str:
    if isinstance(measurement, NotMeasured):
        return ""
    return measurement.settings if candidate.prompted else f"fitted on {counted(data.n_dev, 'sample')}"


def _parameters(count: Fact[int]) -> str:
    if isinstance(count, Unknown):
        return "unknown"
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if count.value >= size:
            return f"{count.value / size:.3g} {letter}"
    return f"{count.value:,}"
