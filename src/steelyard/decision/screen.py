"""Who may and can be measured: asked before any weights are fetched, any socket opened, any money spent."""

from __future__ import annotations

from datetime import datetime

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.target import why_not_runnable
from steelyard.catalogue.weights import find_weights
from steelyard.decision.gates import receiver, sending
from steelyard.licences.judge import judge_candidate
from steelyard.providers.pool import missing_key
from steelyard.providers.privacy import Withheld
from steelyard.trials import NotMeasured
from steelyard.trials.plan import Plan
from steelyard.usecase import UseCase


def screen(
    candidate: Candidate, case: UseCase, plan: Plan, at: datetime, catalogue: Catalogue | None = None
) -> NotMeasured | None:
    """Why a candidate will not be called, the first reason that holds; None when it will be.

    `catalogue` knows what the candidate derives from; the shipped one where it is not given.
    """
    evaluate = judge_candidate(candidate, case.use, case.workload, at.date(), purpose="evaluate", catalogue=catalogue)
    sent = sending(case, candidate)
    gate = ""
    if evaluate.status == "forbidden":
        gate, reason = "licence", f"its licence forbids even measuring it: {evaluate.headline}"
    elif isinstance(sent, Withheld):
        gate, reason = "privacy", sent.reason
    elif candidate.way not in case.allow_ways:
        gate, reason = "ways", f"{candidate.way} is not among the allowed ways ({', '.join(case.allow_ways)})"
    else:
        reason = _cannot_run(candidate)
        use = judge_candidate(candidate, case.use, case.workload, at.date(), catalogue=catalogue)
        if reason and use.status == "forbidden":
            gate, reason = "licence", f"its licence forbids the intended use: {use.headline}; besides, {reason}"
    return NotMeasured(candidate.id, reason, gate, plan.calls, plan.cost) if reason else None


def _cannot_run(candidate: Candidate) -> str:
    """What is missing on this machine: a provider, weights, a key; "" when nothing is."""
    return why_not_runnable(candidate) or _weights_missing(candidate) or missing_key(receiver(candidate))


def _weights_missing(candidate: Candidate) -> str:
    if candidate.weights is None or find_weights(candidate.model, candidate.weights) is not None:
        return ""
    if candidate.weights.kind == "path":
        return f"there is no file {candidate.weights.members[0]}: correct the path"
    return f"its weights are not on this machine: steelyard models get {candidate.model.id}"
