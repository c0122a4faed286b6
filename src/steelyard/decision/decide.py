"""From evidence to a decision: a pure function, the clock passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from steelyard.decision.basis import Basis
from steelyard.decision.choose import Choice, Contender, choose, cost_of_line, cost_or_infinite, quality_of
from steelyard.decision.compare import compare, comparison_of, separable_in
from steelyard.decision.doubts import doubts
from steelyard.decision.how_sure import Groups, certainty
from steelyard.decision.recheck import recheck_when
from steelyard.decision.record import Comparison, DataSummary, Decision, Evidence, Standing
from steelyard.decision.sentences import limit, privacy_words, sentence, use_words, workload_words
from steelyard.decision.standings import standing
from steelyard.decision.verdict import no_language_model, verdict
from steelyard.decision.would_need import would_need
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, tiers
from steelyard.trials import Measurement
from steelyard.usecase import UseCase


def decide(
    case: UseCase,
    evidence: Sequence[Evidence],
    data: DataSummary,
    *,
    made_at: datetime,
    versions: Mapping[str, str],
    provisional: bool = False,
    clusters: Mapping[str, str] | None = None,
    slices: Mapping[str, Mapping[str, str]] | None = None,
    targets: Mapping[str, str] | None = None,
) -> Decision:
    """Which candidate to take, by the study's gates and preference.

    Lines come tier by tier, the best first, then those that were not measured in the study's order. Tiers and
    comparisons cover all that were measured; only those that passed every gate can win. `clusters` (sample id ->
    group; "" or nothing for a sample that stands alone) makes intervals and tests robust where samples come in
    groups. `slices` (sample id -> column -> value) break the results down; `targets` (sample id -> right answer) are
    for metrics that are no mean of scores. `provisional`: the run goes on.
    """
    basis = _basis(case, evidence, data, made_at, clusters)
    winner, best_model = basis.winner, basis.best_model
    passing = [line for line in basis.lines if line.passed and line is not winner]
    groups = Groups(clusters, slices or {}, targets or {})
    return Decision(
        study=case.name,
        question=case.question,
        made_at=made_at.isoformat(),
        metric=case.task.metric,
        verdict=verdict(basis, provisional),
        winner=winner.candidate if winner else None,
        best_language_model=best_model.candidate if best_model else None,
        ties=tuple(line.candidate for line in basis.ties),
        margin=_margin(winner, passing, basis.comparisons),
        standings=basis.lines,
        comparisons=basis.comparisons,
        would_need=would_need(basis),
        reasons=basis.reasons,
        doubts=doubts(basis),
        recheck_when=recheck_when(basis),
        duties=winner.licence.duties if winner else (),
        questions=winner.licence.questions if winner else (),
        requirements=tuple(limit(requirement) for requirement in case.require),
        preference={str(criterion): weight for criterion, weight in case.prefer.items()},
        workload=workload_words(case.workload),
        privacy=privacy_words(case.privacy),
        intended_use=use_words(case.use),
        data=data,
        fallback_order=_fallback(winner, passing),
        versions=dict(versions),
        provisional=provisional,
        certainty=Unknown("the run goes on") if provisional else certainty(basis, groups),
    )


def _basis(
    case: UseCase,
    evidence: Sequence[Evidence],
    data: DataSummary,
    made_at: datetime,
    clusters: Mapping[str, str] | None,
) -> Basis:
    """Lines, comparisons and tiers of all that were measured; the choice among those that passed."""
    by_id = {one.candidate.id: one for one in evidence}
    unranked = [standing(case, one, data, made_at, clusters) for one in evidence]
    measured = sorted((line for line in unranked if isinstance(line.quality, Estimate)), key=lambda x: -quality_of(x))
    measurements = [by_id[line.candidate].measurement for line in measured]
    comparisons = compare([one for one in measurements if isinstance(one, Measurement)], clusters)
    separable = separable_in(comparisons)
    lines = _ranked(unranked, tiers([x.candidate for x in measured], [quality_of(x) for x in measured], separable))

    contenders = [Contender(line, by_id[line.candidate].candidate) for line in lines if line.passed]
    models = [one for one in contenders if one.line.is_language_model]
    choice = choose(contenders, case.prefer, separable) if contenders else None
    best_model = _best_model(models, choice)
    reasons = choice.reasons if choice else ()
    winner, ties = None, []
    if choice:
        winner = choice.winner.line
        others = [one.line for one in contenders if one.line is not winner]
        ties = [line for line in others if not separable(winner.candidate, line.candidate)]
    return Basis(
        case=case,
        data=data,
        evidence=by_id,
        lines=lines,
        comparisons=comparisons,
        winner=winner,
        best_model=best_model,
        ties=tuple(ties),
        reasons=reasons if best_model else (*reasons, sentence(no_language_model(lines))),
        made_at=made_at,
    )


def _best_model(models: Sequence[Contender], choice: Choice | None) -> Standing | None:
    """The winner if it is a language model, else the most accurate that passed, the cheaper of equals."""
    lines = [one.line for one in models]
    if choice and choice.winner.line in lines:
        return choice.winner.line
    return min(lines, key=lambda line: (-quality_of(line), cost_or_infinite(line)), default=None)


def _ranked(lines: Sequence[Standing], ranks: Sequence[Sequence[str]]) -> tuple[Standing, ...]:
    by_id = {line.candidate: line for line in lines}
    ranked = [replace(by_id[name], tier=tier) for tier, names in enumerate(ranks, start=1) for name in names]
    names = {line.candidate for line in ranked}
    return (*ranked, *(line for line in lines if line.candidate not in names))


def _margin(
    winner: Standing | None, passing: Sequence[Standing], comparisons: Sequence[Comparison]
) -> Comparison | None:
    """The winner against the most accurate of the others that passed."""
    if winner is None or not passing:
        return None
    return comparison_of(comparisons, winner.candidate, max(passing, key=quality_of).candidate)


def _fallback(winner: Standing | None, passing: Sequence[Standing]) -> tuple[str, ...]:
    """For serving: the winner, then the others that passed by tier and cost (unknown cost last)."""
    if winner is None:
        return ()

    def order(line: Standing) -> tuple[float, float]:
        cost = cost_of_line(line)
        return (line.tier or 0, cost.value if isinstance(cost, Estimate) else float("inf"))

    return (winner.candidate, *(line.candidate for line in sorted(passing, key=order)))
