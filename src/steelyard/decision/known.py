"""What costs need to know of a candidate, from its plan, its measurement, its licence and the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.weights import find_weights
from steelyard.costs.known import Known
from steelyard.decision.record import Decision
from steelyard.licences.judge import judge_candidate
from steelyard.providers.token_counts import count_tokens
from steelyard.quantities import Unknown
from steelyard.trials import Measurement, NotMeasured
from steelyard.trials.plan import CHARACTERS_PER_TOKEN, Plan
from steelyard.tuning.fitted import recall
from steelyard.usecase import UseCase
from steelyard.usecase.case import Already

TEXTS_COUNTED = 200


def known_of(planned: Plan, result: Measurement | NotMeasured | None, fitted: Candidate | None = None) -> Known:
    """Requests and rate as measured, else as planned; what fitting took, from its own record."""
    made = recall(fitted.artefact) if fitted and fitted.artefact else None
    seconds = float(made.seconds) if made else 0.0
    if not isinstance(result, Measurement):
        return Known(
            {planned.per_request: 1}, Unknown("it was not measured"), planned.fresh_tokens, fit_seconds=seconds
        )
    failed = sum(result.failures.values())
    unusable = failed + round(result.unparseable_rate * (len(result.samples) - failed))
    return Known(
        usages=result.usages,
        throughput_per_second=result.throughput_per_second,
        fresh_tokens=planned.fresh_tokens,
        failed=(unusable, len(result.samples)),
        fit_seconds=seconds,
        timed_seconds=() if isinstance(result.latency, Unknown) else result.latency.total_seconds,
    )


def token_ratios(candidates: Iterable[Candidate], texts: Sequence[str]) -> dict[str, float]:
    """Tokens of the study's own texts over the estimate from their characters, by each vocabulary at hand."""
    texts = [text for text in texts[:TEXTS_COUNTED] if text]
    estimated, ratios = sum(map(len, texts)) / CHARACTERS_PER_TOKEN, dict[str, float]()
    for one in candidates:
        path = find_weights(one.model, one.weights) if one.weights and one.weights.format == "gguf" else None
        if path is None or not texts or one.model.id in ratios:
            continue
        counted = count_tokens(path, texts)
        if not isinstance(counted, Unknown):
            ratios[one.model.id] = counted / estimated
    return ratios


def fee_demanded(candidate: Candidate, case: UseCase, at: date, catalogue: Catalogue | None = None) -> bool:
    """Whether only an agreement with the licensor allows this use on own machines: such an agreement has a price."""
    terms = candidate.model.licence
    if candidate.way == "api" or isinstance(terms, Unknown):
        return False
    if terms.value.signed:
        return True
    marks = tuple(mark for mark in case.use.already if mark != "commercial-agreement")

    def status(*more: Already) -> str:
        use = replace(case.use, already=(*marks, *more))
        return judge_candidate(candidate, use, case.workload, at, catalogue=catalogue).status

    return status() == "forbidden" and status("commercial-agreement") != "forbidden"


def why_barred(name: str, not_measured: Mapping[str, NotMeasured], decision: Decision | None) -> str:
    """The gate that rules it out, in a sentence: of the decision, or before one of what is known already."""
    if decision is not None:
        failed = [gate for gate in decision.standing(name).gates if gate.outcome == "failed"]
        return f"ruled out ({failed[0].name}): {failed[0].detail}" if failed else ""
    ahead = not_measured.get(name)
    return f"ruled out ({ahead.gate}): {ahead.reason}" if ahead is not None and ahead.gate else ""
