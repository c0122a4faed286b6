"""From a study's folder to routes: the decision's order, each candidate with the settings it was measured with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.own import catalogue_for
from steelyard.catalogue.target import target
from steelyard.decision import Decision
from steelyard.decision.store import load
from steelyard.errors import InputError, NotAvailable, Problem
from steelyard.providers.pool import missing_key
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Completion, Provider
from steelyard.serving.routing import Route, TaskAnswer
from steelyard.trials.classify import Classification, RunSettings
from steelyard.trials.lock import Lock, load_lock
from steelyard.usecase import Dataset, UseCase
from steelyard.usecase.candidates import candidate_of
from steelyard.usecase.load import load_study
from steelyard.usecase.read import load_dataset

RUN_AGAIN = "run `steelyard run` on the study again; what was measured is kept"


@dataclass(frozen=True)
class Wired:
    """What can be served. `left_out`: fallbacks that cannot run here now, each with its reason.

    `question` is an input from dev that no prompt shows as an example. `made_at` is the decision's time in Unix
    seconds.
    """

    study: str
    output: Path
    rule: DataRule
    routes: tuple[Route, ...]
    left_out: tuple[str, ...]
    question: str
    made_at: int


def wire(study: Path) -> Wired:
    """Everything a study's endpoint needs, read from its files; SteelyardError when there is nothing to serve."""
    case = load_study(study)
    decision = load(case.output)
    lock, catalogue = load_lock(case.output, decision.made_at), catalogue_for(case.file)
    return wired(case, decision, lock, load_dataset(case.data), catalogue)


def wired(case: UseCase, decision: Decision, lock: Lock, dataset: Dataset, catalogue: Catalogue) -> Wired:
    """The decision's fallback order, winner first.

    A winner that cannot run is an error; a fallback that cannot is left out. Raises InputError when the data are
    not those that the decision rests on: the examples in the prompts would be others.
    """
    if decision.winner is None:
        raise InputError(
            Problem(
                slug="no-winner",
                what="no candidate passed all gates",
                next_step="`steelyard report` shows which gate ruled out whom",
            )
        )
    if dataset.fingerprint != lock.data_fingerprint:
        raise InputError(
            Problem(slug="data-changed", what="the data have changed since the decision was made", next_step=RUN_AGAIN)
        )
    task = Classification(case.task, case.data, dataset)
    routes: list[Route] = []
    left_out: list[str] = []
    for name in decision.fallback_order:
        try:
            routes.append(_route(name, case, lock, catalogue, task))
        except NotAvailable as missing:
            if name == decision.winner:
                raise
            left_out.append(missing.problems[0].what)
    return Wired(
        study=case.name,
        output=case.output,
        rule=DataRule(case.privacy.data_class, case.privacy.may_send_to),
        routes=tuple(routes),
        left_out=tuple(left_out),
        question=_question(dataset, task),
        made_at=int(datetime.fromisoformat(decision.made_at).timestamp()),
    )


def _route(name: str, case: UseCase, lock: Lock, catalogue: Catalogue, task: Classification) -> Route:
    ran = lock.find(name)
    candidate = _candidate(name, case, catalogue)
    if ran is None or candidate is None:
        raise InputError(
            Problem(slug="candidate-changed", what=f"{name} is not in the study as it was run", next_step=RUN_AGAIN)
        )
    if ran.artefact:
        artefact = case.output / ran.artefact
        candidate = replace(candidate, artefact=artefact, artefact_sha256=ran.artefact_sha256)
    aim = target(candidate)
    if aim.weights_sha256 != ran.weights_sha256:
        raise InputError(
            Problem(
                slug="candidate-changed", what=f"{name} has other weights than when it was run", next_step=RUN_AGAIN
            )
        )
    unset = missing_key(aim)
    if unset:
        raise NotAvailable(Problem(slug="key-missing", what=f"{name}: {unset}", next_step="set it in the environment"))
    prompted = candidate.prompted
    return Route(name, aim, _answer(task, ran.settings), prompted, candidate.offer, candidate.model.vendor)


def _candidate(name: str, case: UseCase, catalogue: Catalogue) -> Candidate | None:
    spec = next((spec for spec in case.candidates if spec.id == name), None)
    if spec is None:
        return None
    found = candidate_of(spec, catalogue, case.folder)
    return found if isinstance(found, Candidate) else None


def _answer(task: Classification, settings: RunSettings) -> TaskAnswer:
    async def answer(provider: Provider, text: str) -> Completion:
        said = await task.answer(provider, settings, text)
        return Completion(said.label, "stop", said.usage, said.timing, said.served_model)

    return answer


def _question(dataset: Dataset, task: Classification) -> str:
    shown = {sample.id for sample in task.examples}
    return next((sample.input for sample in dataset.dev if sample.id not in shown), dataset.dev[0].input)
