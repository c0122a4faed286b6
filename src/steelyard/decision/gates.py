"""Hard conditions, each with the clause or number that decides."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from steelyard.catalogue import Candidate
from steelyard.costs import Cost
from steelyard.decision.figures import Figures, figures
from steelyard.decision.record import Evidence, Gate, GateName
from steelyard.decision.sentences import CUSTODY, figure, gate_sentence, limit, listed, seconds, sentence
from steelyard.providers.privacy import DataRule, SendVerdict, Withheld, may_send
from steelyard.providers.protocol import Target
from steelyard.quantities import Sourced, Unknown
from steelyard.stats import Estimate, Estimated
from steelyard.usecase import Requirement, UseCase


def gates(case: UseCase, evidence: Evidence, now: datetime) -> tuple[Gate, ...]:
    """Every gate of the study applied to one candidate: licence, privacy, ways, then one for each requirement.

    Values are tested, not intervals: a floor inside the interval passes or fails by the value, and `decide` raises
    the doubt. A latency that misses its limit by less than this machine's own lag is unknown.
    `now` tells whether a vendor has withdrawn the model.
    """
    known = figures(evidence.measurement)
    required = [_required(requirement, known, evidence.cost) for requirement in case.require]
    return (_licence(evidence), _privacy(case, evidence), _ways(case, evidence, now), *required)


def _licence(evidence: Evidence) -> Gate:
    verdict = evidence.licence
    says = {
        "allowed": "Allowed",
        "conditional": "Allowed under conditions",
        "forbidden": "Forbidden",
        "unknown": "Nobody has said that this use is allowed",
    }
    outcome: Literal["passed", "failed", "unknown"] = "passed"
    if verdict.status in ("forbidden", "unknown"):
        outcome = "failed" if verdict.status == "forbidden" else "unknown"
    return Gate(
        "licence",
        outcome,
        "the intended use is allowed",
        verdict.status,
        sentence(f"{says[verdict.status]}: {verdict.headline}" if verdict.reasons else says[verdict.status]),
    )


def _privacy(case: UseCase, evidence: Evidence) -> Gate:
    custody = CUSTODY[evidence.candidate.custody]
    sent = sending(case, evidence.candidate)
    reach = f"no further than {CUSTODY[case.privacy.may_send_to]}"
    if isinstance(sent, Withheld):
        return Gate("privacy", "failed", reach, custody, sentence(sent.reason))
    return Gate("privacy", "passed", reach, custody, sentence(f"{case.privacy.data_class} data go to {custody}"))


def sending(case: UseCase, candidate: Candidate) -> SendVerdict:
    """Whether the study's data may go to the machines that run the candidate."""
    return may_send(DataRule(case.privacy.data_class, case.privacy.may_send_to), receiver(candidate))


def receiver(candidate: Candidate) -> Target:
    """Who would get the data: enough of a Target to ask the rules, too little to call."""
    return Target(
        wire=candidate.route, model=candidate.model.name, custody=candidate.custody, key_env=candidate.key_env
    )


def _ways(case: UseCase, evidence: Evidence, now: datetime) -> Gate:
    way, retired = evidence.candidate.way, evidence.candidate.model.retired
    allowed = listed(case.allow_ways, "or")
    passed, detail = way in case.allow_ways, f"it runs {way}; the study allows {allowed}"
    if way == "api" and isinstance(retired, Sourced) and retired.value <= now.date().isoformat():
        passed, detail = False, f"the vendor withdrew it on {retired.value} ({retired.source})"
    return Gate("ways", "passed" if passed else "failed", allowed, way, sentence(detail))


def _required(requirement: Requirement, known: Figures, cost: Cost | Unknown) -> Gate:
    name, value = _tested(requirement.metric, known, cost)
    if isinstance(value, Unknown):
        return Gate(name, "unknown", limit(requirement), "unknown", sentence(f"nothing to test: {value.reason}"))
    lag = known.loop_lag.value if name == "latency" and isinstance(known.loop_lag, Estimate) else 0.0
    if requirement.passes(value.value) != requirement.passes(value.value - lag):
        late = f"{gate_sentence(requirement, value.value)} But this machine read the answers up to {seconds(lag)} late."
        return Gate(name, "unknown", limit(requirement), figure(requirement.metric, value.value), late)
    return Gate(
        name,
        "passed" if requirement.passes(value.value) else "failed",
        limit(requirement),
        figure(requirement.metric, value.value),
        gate_sentence(requirement, value.value),
    )


def _tested(metric: str, known: Figures, cost: Cost | Unknown) -> tuple[GateName, Estimated]:
    match metric:
        case "latency_p50":
            return "latency", known.latency_p50
        case "latency_p95":
            return "latency", known.latency_p95
        case "ttft_p95":
            return "latency", known.ttft_p95
        case "cost_per_month":
            return "budget", cost if isinstance(cost, Unknown) else cost.per_month
        case "cost_per_1000":
            return "budget", cost if isinstance(cost, Unknown) else cost.per_1000
        case _:
            return "quality", known.quality
