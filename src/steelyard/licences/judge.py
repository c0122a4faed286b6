"""Terms applied to one intended use. Pure: the same facts give the same verdict. Not legal advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlsplit

from steelyard.catalogue.load import Catalogue, load_catalogue
from steelyard.catalogue.model import Candidate, LicenceRef, Model
from steelyard.licences.clauses import Clause, Holding, Licence, examine
from steelyard.licences.load import Licences, load_licences
from steelyard.licences.verdict import Reason, Status, Verdict
from steelyard.quantities import Sourced, Unknown
from steelyard.usecase.case import Purpose, Use, Workload


@dataclass(frozen=True)
class _Outcome:
    """What one clause does to one use. `grants`: the use is allowed by it, or by an agreement that lifts it."""

    reason: Reason | None
    duty: str = ""
    questions: tuple[str, ...] = ()
    grants: bool = False


STRICTEST_FIRST: tuple[Status, ...] = ("forbidden", "unknown", "conditional", "allowed")


def judge_candidate(
    candidate: Candidate,
    use: Use,
    workload: Workload | Unknown,
    at: date,
    *,
    purpose: Purpose | None = None,
    catalogue: Catalogue | None = None,
    licences: Licences | None = None,
) -> Verdict:
    """The strictest verdict over the candidate's own terms, those of every model it derives from, and its host's.

    `purpose="evaluate"` judges the measuring itself, which comes before weights are fetched: nothing is distributed
    then and no output trains anything; who asks, and whether it is commercial, stays.
    """
    if purpose is not None:
        use = replace(use, purpose=purpose)
    if use.purpose == "evaluate":
        use = replace(use, distribute="none", outputs_train="none")
    catalogue = catalogue or load_catalogue()
    licences = licences or load_licences()
    verdicts = [
        _judge_model(model, use, candidate, workload, at, licences) for model in _lineage(candidate.model, catalogue)
    ]
    if candidate.way == "api" and isinstance(candidate.offer, Unknown) and verdicts[0].licence_id:
        verdicts.append(_unread(_host_terms(candidate), use, candidate))
    return combine(tuple(verdicts))


def judge(licence: Licence, use: Use, candidate: Candidate, workload: Workload | Unknown, at: date) -> Verdict:
    """One licence, one use. A missing fact makes a clause a question; what no clause grants is unknown.

    `workload` is there for thresholds on the product's growth; none of the licences encoded so far has one.
    """
    if licence.read == "none":
        return _unread(licence, use, candidate)
    outcomes = [outcome for clause in licence.clauses if (outcome := _apply(clause, licence, use, candidate))]
    reasons = [outcome.reason for outcome in outcomes if outcome.reason]
    if not any(outcome.grants for outcome in outcomes) and all(one.effect != "forbidden" for one in reasons):
        reasons.append(Reason("unknown", "", "no clause that was read allows this use", licence.name))
    if licence.published > at.isoformat():
        text = f"this revision is dated {licence.published}, after {at.isoformat()}"
        reasons.append(Reason("unknown", "", text, licence.name))
    reasons.sort(key=lambda reason: STRICTEST_FIRST.index(reason.effect))
    return Verdict(
        status=reasons[0].effect,
        reasons=tuple(reasons),
        duties=_unique(outcome.duty for outcome in outcomes if outcome.duty),
        questions=_unique(question for outcome in outcomes for question in outcome.questions),
        not_read=licence.not_read,
        licence_id=licence.id,
        licence_name=licence.name,
        revision=licence.revision,
        source=licence.source,
        as_of=licence.as_of,
    )


def combine(verdicts: tuple[Verdict, ...]) -> Verdict:
    """All terms apply at once: the strictest decides, duties and questions add up. The first is the model's own."""
    if len(verdicts) == 1:
        return verdicts[0]
    reasons = [reason for verdict in verdicts for reason in verdict.reasons]
    reasons.sort(key=lambda reason: STRICTEST_FIRST.index(reason.effect))
    return Verdict(
        status=reasons[0].effect,
        reasons=tuple(reasons),
        duties=_unique(duty for verdict in verdicts for duty in verdict.duties),
        questions=_unique(question for verdict in verdicts for question in verdict.questions),
        not_read=_unique(text for verdict in verdicts for text in verdict.not_read),
        licence_id=" AND ".join(_unique(verdict.licence_id for verdict in verdicts)),
        licence_name=" and ".join(_unique(verdict.licence_name for verdict in verdicts)),
        revision=verdicts[0].revision,
        source="; ".join(_unique(verdict.source for verdict in verdicts)),
        as_of=min((verdict.as_of for verdict in verdicts if verdict.as_of), default=""),
    )


def _lineage(model: Model, catalogue: Catalogue) -> list[Model]:
    """The model, then every model it derives from, each once."""
    found = [model]
    for ancestor in found:
        found += [catalogue.models[base] for base in ancestor.bases if catalogue.models[base] not in found]
    return found


def _judge_model(
    model: Model, use: Use, candidate: Candidate, workload: Workload | Unknown, at: date, licences: Licences
) -> Verdict:
    if isinstance(model.licence, Unknown):
        return _unknown(model, model.licence.reason)
    licence = licences.get(model.licence.value.id, model.licence.value.revision)
    if isinstance(licence, Unknown):
        return _unknown(model, licence.reason, model.licence)
    return judge(licence, use, replace(candidate, model=model), workload, at)


def _unknown(model: Model, reason: str, licence: Sourced[LicenceRef] | None = None) -> Verdict:
    """An unread licence is not permissive."""
    return Verdict(
        status="unknown",
        reasons=(Reason("unknown", "", f"the terms of {model.name} are not known: {reason}", "no terms read"),),
        questions=(f"Under which terms do you have {model.name}, and who has read them?",),
        not_read=(f"the terms of {model.name}",),
        licence_id=licence.value.id if licence else "",
        revision=licence.value.revision if licence else "",
        source=licence.source if licence else "",
        as_of=licence.as_of if licence else "",
    )


def _host_terms(candidate: Candidate) -> Licence:
    """Somebody else serves the model (a cloud, a host of open weights): that contract governs as well."""
    host = urlsplit(candidate.base_url).hostname or candidate.route
    name = f"the terms of {host}"
    return Licence("host-terms", name, host, "", "", "none", f"{name} (not read)", "")


def _unread(licence: Licence, use: Use, candidate: Candidate) -> Verdict:
    """Terms that exist and that nobody here has read. A contract that the user says to have turns them into a duty."""
    contract = candidate.custody == "contracted" or "commercial-agreement" in use.already
    effect: Status = "conditional" if contract else "unknown"
    text = f"not read here: your own contract with {licence.steward} governs" if contract else "not read here"
    duty = f"make sure that your contract with {licence.steward} allows this use"
    return Verdict(
        status=effect,
        reasons=(Reason(effect, "", text, licence.name),),
        duties=(duty,) if contract else (),
        questions=(f"Who has read {licence.name}, when, and do they allow this use?",),
        not_read=licence.not_read,
        licence_id=licence.id,
        licence_name=licence.name,
        revision=licence.revision,
        source=licence.source,
        as_of=licence.as_of,
    )


def _apply(clause: Clause, licence: Licence, use: Use, candidate: Candidate) -> _Outcome | None:
    """What the clause does here; None where it does not bite."""
    when = examine(clause.when, use, candidate)
    exempt = Holding(False) if clause.unless.is_empty else examine(clause.unless, use, candidate)
    if exempt.holds or (when.holds is False and not when.questions):
        return None
    if when.holds is False:
        return _Outcome(None, questions=when.questions)
    if clause.effect == "rule":
        return _Outcome(None, clause.duty)
    name = f"{licence.name}, {clause.document}" if clause.document else licence.name
    own = (clause.question.format(field=use.field or "your field"),) if clause.question else ()
    if when.holds is None or exempt.holds is None:
        reason = Reason(clause.in_doubt, clause.section, f"perhaps: {clause.text}", name)
        return _Outcome(reason, questions=(*when.questions, *exempt.questions, *own))
    held = ", ".join(mark for mark in clause.lifted_by if mark in use.already)
    if clause.effect == "conditional" and "registered" in held:
        return None
    if held:
        text = f"{clause.text}; lifted where your {held} with {licence.steward} covers it"
        question = f"Does your {held} cover {candidate.model.name} by {licence.steward} for this use?"
        return _Outcome(Reason("conditional", clause.section, text, name), questions=(question, *own), grants=True)
    reason = Reason(clause.effect, clause.section, clause.text, name)
    return _Outcome(reason, clause.duty, own, grants=clause.effect == "allowed")


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
