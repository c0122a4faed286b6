"""Terms applied to one intended use. Pure: the same facts give the same verdict. Not legal advice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from steelyard.catalogue.load import Catalogue, load_catalogue
from steelyard.catalogue.model import Candidate, LicenceRef, Model
from steelyard.licences.clauses import Clause, Effect, Licence
from steelyard.licences.combine import all_of, sort, unique, with_hidden_bases
from steelyard.licences.facts import Facts, facts_of, modality_of
from steelyard.licences.hosts import Host, host_of
from steelyard.licences.load import Licences, load_licences
from steelyard.licences.parts import QUESTIONS
from steelyard.licences.thresholds import thresholds_of
from steelyard.licences.verdict import Reason, Status, Threshold, Verdict
from steelyard.licences.worlds import Bite, Laid, Worlds, lay_out, worlds_of
from steelyard.quantities import Sourced, Unknown
from steelyard.usecase.case import Already, Purpose, Use, Workload


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
    if purpose == "evaluate":
        use = replace(use, distribute="none", outputs_train="none")
    facts = facts_of(use, candidate, workload)
    return judge_model(candidate.model, facts, at, catalogue=catalogue, licences=licences, host=host_of(candidate))


def judge_model(
    model: Model,
    facts: Facts,
    at: date,
    *,
    catalogue: Catalogue | None = None,
    licences: Licences | None = None,
    revision: str = "",
    host: Host = None,
) -> Verdict:
    """A model of the catalogue under its own terms, all its bases', and those of `host` where another serves it.

    `revision` is that of its own terms; without one, the catalogue says which apply. Terms that were signed hold with
    the agreement that they are, and open what it opens.
    """
    catalogue = catalogue or load_catalogue()
    licences = licences or load_licences()
    judged: list[tuple[Model, Licence | Unknown, Verdict]] = []
    lineage, missing = _lineage(model, catalogue)
    for one in lineage:
        for terms, signed in _terms(one, licences, at, revision if one is model else ""):
            already: tuple[Already, ...] = (*facts.already, "commercial-agreement") if signed else facts.already
            read = replace(facts, modality=_modality(one, model, facts), already=already)
            verdict = _unknown(one, terms.reason) if isinstance(terms, Unknown) else judge_facts(terms, read, at)
            judged.append((one, terms, verdict))
    verdicts = [verdict for _, _, verdict in judged]
    for base in missing:
        why = Unknown("it is a base that is not in the catalogue")
        verdicts.append(_unknown(replace(model, name=base, licence=why), why.reason))
    if host is not None and verdicts[0].licence_id:
        verdicts.append(_of_host(host, facts, at, licences))
    if _kept_by_its_vendor(model, facts, catalogue):
        verdicts.append(_unread(_no_terms(f"terms for {model.name} on own machines", model.vendor), facts))
    own = judged[0][1]
    if isinstance(own, Unknown) or not own.is_permissive:
        return all_of(tuple(verdicts))
    hidden = [
        verdict
        for one, terms, verdict in judged
        if one is not model and (isinstance(terms, Unknown) or not terms.is_permissive)
    ]
    return with_hidden_bases(all_of(tuple(verdicts)), own.name, hidden)


def judge(licence: Licence, use: Use, candidate: Candidate, workload: Workload | Unknown, at: date) -> Verdict:
    """One licence, one use. A missing fact makes a clause a question; what no clause grants is unknown.

    `workload` says how the numbers grow that thresholds count.
    """
    return judge_facts(licence, facts_of(use, candidate, workload), at)


@dataclass(frozen=True)
class _Bitten:
    """A clause with its effect on this use, and the worlds in which it has it."""

    bite: Bite
    effect: Effect
    where: int
    lifted: str = ""
    grants: bool = False


def judge_facts(licence: Licence, facts: Facts, at: date) -> Verdict:
    """One licence on whatever is known of a use."""
    if licence.published > at.isoformat():
        text = f"this revision is dated {licence.published}: on {at.isoformat()} it did not exist"
        return _verdict(licence, (_reason(licence, "unknown", text),))
    if licence.read == "none":
        return _unread(licence, facts)
    laid = lay_out(licence)
    worlds = worlds_of(laid.parts, facts)
    bitten = tuple(_bitten(laid, worlds, facts))
    by_status = _by_status(bitten, worlds)
    moving = _moving(worlds, tuple(by_status.values()))
    reasons = sort(_reasons(licence, bitten, worlds, by_status, moving))
    status = reasons[0].effect
    questions = [laid.parts[number].question(facts) for number in sorted(moving)]
    if not facts.field and status != "forbidden" and any(part.asks == "field" for part in laid.parts):
        questions.append(QUESTIONS["field"])
    questions += [text for bite in bitten for text in _asked(bite, licence, facts, status)]
    duties = [] if status == "forbidden" else [text for bite in bitten for text in _owed(bite, worlds)]
    limits = thresholds_of(licence, laid, worlds, facts, at)
    return _verdict(licence, reasons, unique(duties), unique(questions), limits)


def _bitten(laid: Laid, worlds: Worlds, facts: Facts) -> Iterator[_Bitten]:
    """What an agreement lifts becomes a condition: nobody here has read it. A duty that is done is done."""
    for bite in laid.bites:
        where = worlds.bitten(bite)
        if not where:
            continue
        clause = bite.clause
        held = [mark for mark in clause.lifted_by if mark in facts.already]
        if not held or clause.effect in ("allowed", "rule"):
            yield _Bitten(bite, clause.effect, where, grants=clause.effect == "allowed")
        elif held == ["commercial-agreement"]:
            yield _Bitten(bite, "conditional", where, held[0], grants=clause.effect != "conditional")
        elif clause.effect != "conditional":
            done = " and ".join(mark for mark in held if mark != "commercial-agreement")
            yield _Bitten(bite, "allowed", where, done, grants=True)


def _by_status(bitten: tuple[_Bitten, ...], worlds: Worlds) -> dict[Status, int]:
    """Every world under the strictest thing that is said to it; what no clause grants is unknown."""
    granted = 0
    for bite in bitten:
        if bite.grants:
            granted |= bite.where
    forbidden = _where(bitten, "forbidden")
    unknown = (_where(bitten, "unknown") | (worlds.every & ~granted)) & ~forbidden
    conditional = _where(bitten, "conditional") & ~forbidden & ~unknown
    allowed = worlds.every & ~forbidden & ~unknown & ~conditional
    return {"forbidden": forbidden, "unknown": unknown, "conditional": conditional, "allowed": allowed}


def _where(bitten: tuple[_Bitten, ...], effect: Effect) -> int:
    found = 0
    for bite in bitten:
        if bite.effect == effect:
            found |= bite.where
    return found


def _moving(worlds: Worlds, sets: tuple[int, ...]) -> set[int]:
    """Numbers of the open parts whose fact, changed alone, changes the status somewhere."""
    found: set[int] = set()
    for fact in worlds.open:
        if worlds.moves(fact, sets):
            found.update(fact.parts)
    return found


def _reasons(
    licence: Licence, bitten: tuple[_Bitten, ...], worlds: Worlds, by_status: dict[Status, int], moving: set[int]
) -> Iterator[Reason]:
    """What bites in every world bites; what bites in some is a perhaps, unless all agree on the status anyway."""
    present = [status for status, where in by_status.items() if where]
    only = present[0] if len(present) == 1 else None
    for bite in bitten:
        where, clause, text = bite.where, bite.bite.clause, bite.bite.clause.text
        if bite.lifted:
            text = f"{text}; lifted where your {bite.lifted} with {licence.steward} covers it"
        effect: Status = "allowed" if bite.effect == "rule" else bite.effect
        if bite.effect == "rule" or where == worlds.every or effect == only:
            yield _reason(licence, effect, text, clause)
        elif only is None and effect != "allowed" and not moving.isdisjoint(bite.bite.when + bite.bite.unless):
            effect = clause.in_doubt if effect == "forbidden" else effect
            yield _reason(licence, effect, f"perhaps: {text}", clause)
    if by_status["unknown"] & ~_where(bitten, "unknown"):
        text = "no clause that was read allows this use"
        if by_status["conditional"] | by_status["allowed"]:
            yield _reason(licence, "conditional", f"perhaps {text}")
        else:
            yield _reason(licence, "unknown", text)


def _asked(bite: _Bitten, licence: Licence, facts: Facts, status: Status) -> Iterator[str]:
    """A clause's own question, and whether an agreement covers the use: only where the answer can matter."""
    question = bite.bite.clause.question
    if bite.effect != status or status == "allowed":
        return
    if bite.lifted:
        yield f"Does your {bite.lifted} with {licence.steward} cover this use of the model?"
    elif not question and not facts.already_said:
        yield from (f"Is this done already: {mark}? (use.already)" for mark in _own_duties(bite.bite.clause))
    if question:
        yield question.format(field=facts.field)


def _own_duties(clause: Clause) -> list[Already]:
    """What lifts a condition and takes nobody else's consent."""
    marks = clause.lifted_by if clause.effect == "conditional" else ()
    return [mark for mark in marks if mark != "commercial-agreement"]


def _owed(bite: _Bitten, worlds: Worlds) -> Iterator[str]:
    duty = bite.bite.clause.duty
    if duty and not bite.lifted:
        yield duty if bite.where == worlds.every else f"perhaps: {duty}"


def _reason(licence: Licence, effect: Status, text: str, clause: Clause | None = None) -> Reason:
    """Cites the text in which the clause stands: the licence, or a policy that is part of it."""
    document = clause.document if clause else ""
    read = licence.policy_called(document) or licence
    name = f"{licence.name}, {document}" if document else licence.name
    return Reason(effect, clause.section if clause else "", text, name, licence.id, read.source, read.as_of)


def _verdict(
    licence: Licence,
    reasons: tuple[Reason, ...],
    duties: tuple[str, ...] = (),
    questions: tuple[str, ...] = (),
    thresholds: tuple[Threshold, ...] = (),
) -> Verdict:
    return Verdict(
        status=reasons[0].effect,
        reasons=reasons,
        duties=duties,
        questions=questions,
        not_read=licence.not_read,
        licence_id=licence.id,
        licence_name=licence.name,
        revision=licence.revision,
        source=licence.source,
        as_of=licence.as_of,
        thresholds=thresholds,
    )


def _unread(licence: Licence, facts: Facts) -> Verdict:
    """Terms that exist and that nobody here has read. A contract that the user says to have turns them into a duty."""
    contract = facts.contracted or "commercial-agreement" in facts.already
    effect: Status = "conditional" if contract else "unknown"
    text = f"not read here: your own contract with {licence.steward} governs" if contract else "not read here"
    duty = f"make sure that your contract with {licence.steward} allows this use"
    question = f"Who has read {licence.name}, when, and do they allow this use?"
    return _verdict(licence, (_reason(licence, effect, text),), (duty,) if contract else (), (question,))


def _lineage(model: Model, catalogue: Catalogue) -> tuple[list[Model], list[str]]:
    """The model, then every model whose terms bind it as a base, each once; and the ids of bases that nobody knows.

    Who licenses a derivative of a model of its own gives its own rights in both: such a base binds through its bases
    alone.
    """
    binding, walked, missing = [model], [model], []
    for one in walked:
        for id in one.bases:
            base = catalogue.models.get(id)
            if base is None:
                missing.append(id)
                continue
            if base not in walked:
                walked.append(base)
            relicensed = base.vendor == one.vendor and not isinstance(one.licence, Unknown)
            if not relicensed and base not in binding:
                binding.append(base)
    return binding, missing


def _modality(one: Model, judged: Model, facts: Facts) -> frozenset[str]:
    """Terms ask what the model is, whatever it is used for: a multimodal one stays so when it reads text alone."""
    known = modality_of(one)
    return known | facts.modality if one is judged else known or facts.modality


def _terms(model: Model, licences: Licences, at: date, revision: str) -> Iterator[tuple[Licence | Unknown, bool]]:
    """All terms that bind the model's weights on that day, and whether they were signed; `revision`: the first's."""
    for number, fact in enumerate(model.terms):
        if isinstance(fact, Unknown):
            yield fact, False
            continue
        reference = fact.value if number else _in_force(model, fact.value, at)
        terms = licences.get(reference.id, ("" if number else revision) or reference.revision, at)
        if isinstance(terms, Unknown) and reference.signed:
            terms = replace(_no_terms(reference.id, model.vendor), id=reference.id, source=fact.source)
        yield terms, reference.signed


def _in_force(model: Model, today: LicenceRef, at: date) -> LicenceRef:
    """The terms of that day, where the model came under others later."""
    former = [one for one in model.former_licences if one.until > at.isoformat()]
    return min(former, key=lambda one: one.until).licence if former else today


def _unknown(model: Model, reason: str) -> Verdict:
    """An unread licence is not permissive."""
    licence: Sourced[LicenceRef] | None = None if isinstance(model.licence, Unknown) else model.licence
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


def _of_host(host: str | LicenceRef, facts: Facts, at: date, licences: Licences) -> Verdict:
    """Somebody else serves the model (a cloud, a host of open weights): that contract governs as well."""
    if isinstance(host, LicenceRef):
        terms = licences.get(host.id, host.revision, at)
        if isinstance(terms, Licence):
            return judge_facts(terms, facts, at)
        host = host.id
    return _unread(_no_terms(f"the terms of {host}", host), facts)


def _kept_by_its_vendor(model: Model, facts: Facts, catalogue: Catalogue) -> bool:
    """Whether own machines are meant for a model that is had through its vendor's alone: the API's terms do not do."""
    if model.openness != "proprietary" or facts.way not in ("self-hosted", "on-device"):
        return False
    deployed = [
        offer.deployment.value for offer in catalogue.offers_of(model.id) if isinstance(offer.deployment, Sourced)
    ]
    own = {"private-cloud", "on-premises", "hybrid", "edge"}
    return not {"self-hosted", "on-device"} & set(model.ways) and not any(own & set(places) for places in deployed)


def _no_terms(name: str, steward: str) -> Licence:
    """Terms that must exist, of which no text is at hand."""
    return Licence("host-terms", name, steward, "", "", "none", f"{name} (not read)", "")
