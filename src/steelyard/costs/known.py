"""A study's costs from what is known of each candidate: measured where there is a measurement, else by sizing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median

import numpy as np

from steelyard.catalogue import Candidate
from steelyard.costs.cost import cost_of
from steelyard.costs.demand import NO_WORKLOAD
from steelyard.costs.estimate import Cost
from steelyard.costs.inputs import Input
from steelyard.costs.lines import LICENCE
from steelyard.costs.machines import Machine, machine
from steelyard.costs.model import Plan, monthly, replicas_at
from steelyard.costs.outlook import CostOutlook, Hosted, outlook
from steelyard.costs.placement import TENURES, Asked, Placement, accelerator_staff, placements
from steelyard.costs.plans import plan_ahead, plan_of, plan_on
from steelyard.costs.simulated import utilisation
from steelyard.costs.stated import as_stated
from steelyard.costs.volume import Demand
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Sourced, Unknown
from steelyard.sizing.accelerators import accelerator, accelerators
from steelyard.sizing.objective import required, usual
from steelyard.stats import Estimate, Interval
from steelyard.stats.proportion import wilson
from steelyard.usecase import UseCase, Workload

MACHINES_SHOWN = 3
TOKENIZERS_DIFFER = 1.15
FEE = "no public price: ask the licensor; your own figure goes to costs.model_licence_usd_per_year"


@dataclass(frozen=True)
class Known:
    """One candidate's requests and rate. `fresh_tokens` of a request differ from the one before.

    `failed`: calls that gave no usable answer, of how many (none: nothing was called). `fit_seconds`: what fitting it
    took. `timed_seconds`: single requests on the machine at hand. `fee`: its terms ask for a commercial licence.
    `barred`: why it is not to be had, "" when it is. `token_ratios`: tokens over their estimate from characters, by
    vocabularies at hand.
    """

    usages: Mapping[Usage, int]
    throughput_per_second: float | Unknown
    fresh_tokens: int = 0
    failed: tuple[int, int] = (0, 0)
    fit_seconds: float = 0.0
    timed_seconds: tuple[float, ...] = ()
    fee: bool = False
    barred: str = ""
    token_ratios: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Study:
    """What all candidates of a study share."""

    case: UseCase
    workload: Workload
    at: datetime
    ahead: Mapping[str, tuple[Placement, ...] | Unknown] = field(default_factory=dict)


def bill_of(candidate: Candidate, known: Known, case: UseCase, at: datetime) -> Cost | Unknown:
    """The bill: tokens, or machines; what gates and preferences look at."""
    return cost_of(
        candidate,
        usages=known.usages,
        throughput_per_second=known.throughput_per_second,
        workload=case.workload,
        at=at,
        machine=served_on(candidate, known, case),
    )


def served_on(candidate: Candidate, known: Known, case: UseCase) -> Machine:
    """What a measured replica is priced on: the plain machine; for a server of one's own, of which only the address is
    known, what sizing would take for its model where the plain machine is too small for it."""
    plain = machine()
    if not candidate.base_url or candidate.way != "self-hosted" or isinstance(case.workload, Unknown):
        return plain
    placed, on = _placements(candidate, known, case, case.workload), machine_named(case)
    if isinstance(placed, Unknown) or any(one.machine == plain.id for one in placed):
        return plain
    for one in placed:
        rent = one.rent("on-demand")
        if on in ("", one.machine) and isinstance(rent, Input):
            source = f"taken by sizing for the server behind {candidate.base_url}: {one.name}; {rent.source}"
            usd = Sourced(Money.of(f"{rent.value * one.machines:.4f}"), source, rent.as_of)
            return Machine(one.machine, one.name, 0, 0, one.machine, usd, assumed=True)
    return plain


def analysis(
    case: UseCase, candidates: Sequence[Candidate], known: Mapping[str, Known], at: datetime, choice: str = ""
) -> CostOutlook | Unknown:
    """The whole analysis of all candidates that have a plan; the others are named with their reasons."""
    if isinstance(case.workload, Unknown):
        return Unknown(NO_WORKLOAD)
    own = [c for c in candidates if c.way == "self-hosted" and not known[c.id].barred]
    ahead = {c.id: _placements(c, known[c.id], case, case.workload) for c in own}
    study = _Study(case, case.workload, at, ahead)
    plans = {c.id: _plan(c, known[c.id], study) for c in candidates}
    have = [plan for plan in plans.values() if isinstance(plan, Plan)]
    without = {name: plan.reason for name, plan in plans.items() if isinstance(plan, Unknown)}
    if not have:
        return Unknown("; ".join(f"{name}: {reason}" for name, reason in without.items()) or "there is no candidate")
    demand = Demand(case.workload.requests_per_day, case.workload.growth_per_month, case.workload.horizon_months)
    return outlook(
        have,
        demand,
        choice=choice,
        without=without,
        hosted=tuple(row for c in own for row in _hosted(c, known[c.id], plans[c.id], study, demand)),
        hours=case.workload.hours,
        must_stay=case.hosting.must_stay,
    )


def _placements(
    candidate: Candidate, known: Known, case: UseCase, workload: Workload
) -> tuple[Placement, ...] | Unknown:
    if not known.usages:
        return Unknown("the tokens of a request are unknown")
    asked = Asked.of(known.usages, known.fresh_tokens)
    objectives = required(case.require) or usual().value
    return placements(candidate, asked, workload, objectives, accelerators(case.file))


def _plan(candidate: Candidate, known: Known, study: _Study) -> Plan | Unknown:
    """As measured, else as sized; what the study states wins over both."""
    if known.barred:
        return Unknown(f"{known.barred}; its terms ask for a commercial licence: {FEE}" if known.fee else known.barred)
    case, hosting = study.case, study.case.hosting
    measured = not isinstance(known.throughput_per_second, Unknown)
    if candidate.way == "self-hosted" and not measured:
        wanted = (hosting.term, machine_named(case)) if candidate.is_language_model else ("on-demand", "")
        plan = plan_ahead(candidate, study.ahead[candidate.id], study.workload, *wanted)
    else:
        on = served_on(candidate, known, case)
        plan = plan_of(
            candidate,
            usages=known.usages,
            throughput_per_second=known.throughput_per_second,
            workload=study.workload,
            at=study.at,
            machine=on,
        )
        if isinstance(plan, Plan):
            facts = [*_planned(candidate, known, case), *([accelerator_staff()] if on.accelerator else [])]
            plan = replace(plan, inputs=plan.inputs.with_facts(facts))
    return plan if isinstance(plan, Unknown) else _finished(plan, candidate, known, case)


def _finished(plan: Plan, candidate: Candidate, known: Known, case: UseCase) -> Plan:
    """With what was observed and signed; what the study states wins. A licence without a price stays unknown."""
    facts = [*_observed(plan, known, candidate.id), *_signed(candidate)]
    stated = as_stated(replace(plan, inputs=plan.inputs.with_facts(facts)), case)
    assert isinstance(stated, Plan), "it was a plan"
    priced = "model_licence_usd_per_year" in case.costs or _signed(candidate)
    return replace(stated, unknown={LICENCE: FEE}) if known.fee and not priced else stated


def _planned(candidate: Candidate, known: Known, case: UseCase) -> list[Input]:
    """How much of a measured rate its latency objective leaves; where no simulation can tell, the usual share stays."""
    rate = known.throughput_per_second
    if candidate.way != "self-hosted" or isinstance(rate, Unknown) or isinstance(case.workload, Unknown):
        return []
    objectives = required(case.require) or usual().value
    share = utilisation(rate, known.timed_seconds, case.workload, objectives, candidate.id)
    return [] if isinstance(share, Unknown) else [share]


def machine_named(case: UseCase) -> str:
    """The id of the machine that the study names for its own machines; InputError where there is none of that name."""
    on = case.hosting.on
    return on if on in ("", machine().id) else accelerator(on, case.file).id


def _observed(plan: Plan, known: Known, name: str) -> list[Input]:
    """What calling and fitting it have shown."""
    facts = _tokens(known, name) if plan.has_api else []
    failed, calls = known.failed
    share = wilson(failed, calls)
    if plan.has_api and isinstance(share, Estimate) and isinstance(share.interval, Interval):
        source = f"{failed} of {calls:,} calls of the run; range: 95 %"
        low, high = share.interval.low, share.interval.high
        facts.append(Input("failed_share", share.value, low, high, "share", source, "", own=name))
    if plan.tuned and known.fit_seconds:
        rent = plan.inputs.facts["rent_usd_per_hour"]
        usd = known.fit_seconds / 3600 * rent.value
        source = f"{known.fit_seconds:,.0f} s of the run x {rent.value:g} USD an hour; people's time is in evaluation"
        facts.append(Input("tuning_usd_per_run", usd, usd, usd, "USD", source, "", own=name))
    return facts


def _tokens(known: Known, name: str) -> list[Input]:
    """How far the estimate of tokens is off on the study's own texts, where no vendor has counted them."""
    if not known.token_ratios or not any(usage.estimated for usage in known.usages):
        return []
    ratios = sorted((ratio, model) for model, ratio in known.token_ratios.items())
    told = ", ".join(f"{ratio:.2f} ({model})" for ratio, model in ratios)
    source = (
        f"tokens of the study's own texts over their estimate, by vocabularies at hand: {told}; "
        "the vendor's is not: range 15 % further "
        "(wildandfreetools.com/blog/why-gpt-claude-gemini-tokenize-text-differently)"
    )
    value = median(ratio for ratio, _ in ratios)
    low, high = ratios[0][0] / TOKENIZERS_DIFFER, ratios[-1][0] * TOKENIZERS_DIFFER
    return [Input("tokenizer_ratio", value, low, high, "ratio", source, "", own=name)]


def _signed(candidate: Candidate) -> list[Input]:
    """The price of the agreement that models.toml tells of."""
    terms = candidate.model.licence
    if isinstance(terms, Unknown) or terms.value.usd_per_year is None:
        return []
    usd = float(terms.value.usd_per_year)
    name, unit = "model_licence_usd_per_year", "USD a year"
    return [Input(name, usd, usd, usd, unit, terms.source, terms.as_of, own=candidate.id)]


def _hosted(candidate: Candidate, known: Known, plan: Plan | Unknown, study: _Study, demand: Demand) -> list[Hosted]:
    """Rent or buy: the plan as it stands, and on the cheapest machines that fit, in every way with a price."""
    rows, measured = [], isinstance(plan, Plan) and not isinstance(known.throughput_per_second, Unknown)
    if isinstance(plan, Plan) and measured:
        rows.append(_row(plan, f"{served_on(candidate, known, study.case).name}, as measured", "on-demand", demand))
    placed = study.ahead[candidate.id]
    if isinstance(placed, Unknown):
        return rows
    for one in _shown([one for one in placed if not (measured and one.machine == machine().id)]):
        for tenure in one.tenures():
            made = _finished(plan_on(candidate, one, study.workload, tenure), candidate, known, study.case)
            rows.append(_row(made, one.name, tenure, demand))
    return rows


def _shown(placed: Sequence[Placement]) -> list[Placement]:
    """The cheapest on demand, and the first that can be had in each way that none of those can."""
    shown = list(placed[:MACHINES_SHOWN])
    for tenure in TENURES:
        if not any(tenure in one.tenures() for one in shown):
            shown += [one for one in placed if tenure in one.tenures()][:1]
    return shown


def _row(plan: Plan, name: str, tenure: str, demand: Demand) -> Hosted:
    volumes = demand.volumes(plan.inputs)
    now = float(volumes[0, 0])
    lines = monthly(plan, plan.inputs, now, 0.0)
    path = monthly(plan, plan.inputs, volumes, demand.month)
    total = float(np.broadcast_to(np.asarray(path.total, float), demand.month.shape).sum())
    count = float(replicas_at(plan, plan.inputs, now))
    return Hosted(
        candidate=plan.candidate,
        machine=name,
        tenure=tenure,
        replicas=round(count),
        machines=round((count + float(plan.inputs["spare_replicas"])) * float(plan.inputs["machines_per_replica"])),
        machines_usd=float(lines.group("infrastructure")),
        month_usd=float(lines.total - lines.group("one-off")),
        horizon_usd=total,
    )
