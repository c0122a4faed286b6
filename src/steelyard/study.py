"""The whole story on one page: from a study file to a decision. Order only; every answer comes from a room below.

load        what the team wants, its data, the candidates, what their licences allow
prepare     who can be measured here, and what measuring would take
measure     fit, choose on dev, answer the test set, time single requests
conclude    costs, decision, report
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from steelyard.catalogue import Candidate
from steelyard.catalogue.own import catalogue_for
from steelyard.catalogue.target import target
from steelyard.costs.known import analysis, bill_of, machine_named
from steelyard.costs.outlook import CostOutlook
from steelyard.costs.stated import inputs_of
from steelyard.decision import DataSummary, Decision, Evidence
from steelyard.decision.decide import decide
from steelyard.decision.in_full import with_costs
from steelyard.decision.known import fee_demanded, known_of, token_ratios, why_barred
from steelyard.decision.screen import screen
from steelyard.decision.store import save
from steelyard.errors import BudgetReached
from steelyard.files import hold
from steelyard.licences import Verdict
from steelyard.licences.judge import judge_candidate
from steelyard.providers.budget import Budget
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Pool as Opened
from steelyard.quantities import Money, Unknown
from steelyard.report.render import write_report
from steelyard.trials import Measurement, NotMeasured
from steelyard.trials.classify import Classification
from steelyard.trials.journal import JOURNAL, Journal
from steelyard.trials.lock import file_sha256, lock_of, save_lock
from steelyard.trials.plan import Plan, plan
from steelyard.trials.run import Contender, Phase, Result, Run, dev_messages
from steelyard.tuning.fitting import fitting
from steelyard.usecase import Dataset, UseCase
from steelyard.usecase.candidates import candidates_of
from steelyard.usecase.load import claim_output, load_study
from steelyard.usecase.peeks import peek
from steelyard.usecase.read import load_dataset


class Watcher(Protocol):
    """Who watches a run. Called from the event loop; must not block."""

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None: ...

    def tiers(self, decision: Decision) -> None: ...


@dataclass(frozen=True)
class Prepared:
    """All that is known before the first call: nothing has been spent or sent."""

    case: UseCase
    data: Dataset
    task: Classification
    candidates: tuple[Candidate, ...]
    verdicts: Mapping[str, Verdict]
    contenders: tuple[Contender, ...]
    not_measured: Mapping[str, NotMeasured]
    plans: Mapping[str, Plan]
    at: datetime


def prepare(path: Path, at: datetime) -> Prepared:
    """Read the study and its data, judge the licences, and find out who can be measured here."""
    case = load_study(path)
    inputs_of(case), machine_named(case)  # a name that nothing has is told before anything is spent
    catalogue = catalogue_for(case.file)
    candidates = candidates_of(case, catalogue)
    data = load_dataset(case.data)
    task = Classification(case.task, case.data, data)
    verdicts = {c.id: judge_candidate(c, case.use, case.workload, at.date(), catalogue=catalogue) for c in candidates}
    dev = dev_messages(data, task.examples, case.data.seed)
    plans = {c.id: plan(task, c, case.task.shots, dev, data.test, at) for c in candidates}
    screened = {c.id: screen(c, case, plans[c.id], at, catalogue) for c in candidates}
    contenders = tuple(_contender(c, case, data, task) for c in candidates if screened[c.id] is None)
    not_measured = {name: reason for name, reason in screened.items() if reason is not None}
    return Prepared(case, data, task, candidates, verdicts, contenders, not_measured, plans, at)


async def measure(
    ready: Prepared, watcher: Watcher, *, limit: Money | None, versions: Mapping[str, str]
) -> tuple[Decision, BudgetReached | None]:
    """Measure every contender, decide, and write decision, lock and report into the study's output folder.

    The second part is the reached budget that left a candidate unmeasured, if one did.
    """
    case = ready.case
    with hold(case.output / "run.lock", "another run of this study is going on"):
        claim_output(case)
        peeks = peek(case, ready.data, file_sha256(case.file))
        with closing(Journal(case.output / JOURNAL)) as journal:
            async with Pool(DataRule(case.privacy.data_class, case.privacy.may_send_to)) as pool:
                run = Run(
                    ready.task,
                    case.task,
                    ready.data,
                    pool=pool,
                    journal=journal,
                    budget=Budget(limit, spent=journal.spent(), ledger=journal),
                    listener=_Listener(ready, watcher, peeks, versions),
                    at=ready.at,
                    seed=case.data.seed,
                )
                trialled = await run.all(ready.contenders)
        decision = conclude(ready, trialled.results, peeks, versions, fitted=trialled.contenders)
        save(decision, case.output)
        save_lock(lock_of(case, ready.data, trialled, versions, decision.made_at), case.output)
        write_report(decision, case.output)
    return decision, trialled.stopped


def conclude(
    ready: Prepared,
    results: Mapping[str, Result],
    peeks: int,
    versions: Mapping[str, str],
    *,
    fitted: Mapping[str, Contender] | None = None,
    provisional: bool = False,
) -> Decision:
    """Evidence of every candidate, then the decision."""
    results = {**ready.not_measured, **{name: _with_plan(ready, result) for name, result in results.items()}}
    known = {name: known_of(ready.plans[name], result) for name, result in results.items()}
    evidence = [
        Evidence(c, ready.verdicts[c.id], results[c.id], bill_of(c, known[c.id], ready.case, ready.at))
        for c in ready.candidates
        if c.id in results
    ]
    decision = decide(
        ready.case,
        evidence,
        DataSummary.of(ready.data, peeks),
        made_at=ready.at,
        versions=versions,
        provisional=provisional,
        clusters={sample.id: sample.cluster for sample in ready.data.test},
        slices={sample.id: sample.parts for sample in ready.data.test},
        targets={sample.id: sample.target for sample in ready.data.test},
    )
    return decision if provisional else with_costs(decision, costs_ahead(ready, results, decision, fitted or {}))


def costs_ahead(
    ready: Prepared, results: Mapping[str, Result], decision: Decision | None, fitted: Mapping[str, Contender]
) -> CostOutlook | Unknown:
    """Costs over volume, time and what may come, of all candidates that no gate rules out."""
    case, catalogue, known = ready.case, catalogue_for(ready.case.file), {}
    ratios = token_ratios(ready.candidates, [sample.input for sample in ready.data.test])
    for c in ready.candidates:
        one = known_of(ready.plans[c.id], results.get(c.id), fitted[c.id].candidate if c.id in fitted else None)
        barred, fee = why_barred(c.id, ready.not_measured, decision), fee_demanded(c, case, ready.at.date(), catalogue)
        known[c.id] = replace(one, barred=barred, fee=fee, token_ratios=ratios)
    return analysis(case, ready.candidates, known, ready.at, (decision and decision.winner) or "")


class _Listener:
    """Turns partial results into provisional tiers for the watcher."""

    def __init__(self, ready: Prepared, watcher: Watcher, peeks: int, versions: Mapping[str, str]) -> None:
        self._ready, self._watcher, self._peeks, self._versions = ready, watcher, peeks, versions
        self.phase = watcher.phase

    def partial(self, results: dict[str, Result]) -> None:
        self._watcher.tiers(conclude(self._ready, results, self._peeks, self._versions, provisional=True))


def _contender(candidate: Candidate, case: UseCase, data: Dataset, task: Classification) -> Contender:
    """What answers for a candidate; one that is fitted on dev first gets its artefact when its turn comes."""
    fit = fitting(candidate, data, task.render, case.output / "tuned", case.data.seed)
    if fit is None:
        return Contender(candidate, target(candidate))

    async def fitted(pool: Opened, progress: Callable[[int, int], None], threads: int) -> Contender:
        made = await fit(pool, progress, threads)
        return Contender(made, target(made))

    return Contender(candidate, fit.base, fitted)


def _with_plan(ready: Prepared, result: Result) -> Result:
    """Whoever was not measured still says what finding out takes."""
    if isinstance(result, Measurement):
        return result
    planned = ready.plans[result.candidate]
    return replace(result, calls=planned.calls, cost_to_find_out=planned.cost)
