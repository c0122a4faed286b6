"""What makes the verdict less sure than it sounds: one computed sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.catalogue import Candidate, Offer
from steelyard.costs import Cost
from steelyard.decision.basis import Basis
from steelyard.decision.compare import comparison_of
from steelyard.decision.record import Standing
from steelyard.decision.sentences import counted, difference_words, interval_words, listed, percent, sentence, too_late
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval, needed_for

FEW_ITEMS = 100
FEW_DEV = 48
OVERFITTED = 0.10
"""So much better on dev than on test: the settings fit the few samples they were chosen on."""
CLOSE_CHOICE = 2
"""A lead of so few dev samples over the next settings is little more than chance."""
MANY_PEEKS = 3
MANY_FAILURES = 0.02
NEAR = 0.10
"""A value within 10 % of its limit is near it."""


def doubts(basis: Basis) -> tuple[str, ...]:
    """All doubts, the weightiest kind first; every sentence holds its own figures."""
    kinds = (
        _too_close, _too_few, _straddled, _near_limit, _failures, _late, _unreadable, _chosen, _leaks, _peeks, _winner,
    )  # fmt: skip
    return tuple(sentence(text) for kind in kinds for text in kind(basis))


def _too_close(basis: Basis) -> Iterator[str]:
    if basis.winner is None:
        return
    for other in basis.ties:
        known = comparison_of(basis.comparisons, basis.winner.candidate, other.candidate)
        if known is None:
            yield f"Too close to call: {basis.winner.name} and {other.name} have no scored sample in common"
        else:
            pairs = len(basis.comparisons)
            yield f"Too close to call: {difference_words(known, basis.winner.name, other.name, pairs)}"


def _too_few(basis: Basis) -> Iterator[str]:
    if not basis.measurements or basis.data.n_test >= FEW_ITEMS:
        return
    few = f"Only {counted(basis.data.n_test, 'test sample')}: below {FEW_ITEMS},"
    measured = [line for line in basis.lines if isinstance(line.quality, Estimate)]
    leader = basis.winner or measured[0]
    pairs = [comparison_of(basis.comparisons, leader.candidate, x.candidate) for x in measured if x is not leader]
    if all(pair and pair.separable for pair in pairs):
        yield f"{few} every figure is coarse: look at the intervals, not at single points"
    else:
        yield f"{few} one more batch may well reverse it"


def _straddled(basis: Basis) -> Iterator[str]:
    floors = [required for required in basis.case.require if required.metric == basis.case.task.metric]
    for line in basis.lines:
        quality = line.quality
        if not isinstance(quality, Estimate) or not isinstance(quality.interval, Interval):
            continue
        for floor in floors:
            if quality.interval.low < floor.limit < quality.interval.high:
                verb = "passes" if floor.passes(quality.value) else "fails"
                yield (
                    f"The floor of {percent(floor.limit)} lies inside the interval of {line.name} "
                    f"({interval_words(quality)}): it {verb} by its value alone"
                )


def _near_limit(basis: Basis) -> Iterator[str]:
    if basis.winner is None:
        return
    for requirement, gate in zip(basis.case.require, basis.winner.gates[-len(basis.case.require) :], strict=False):
        value = _value(basis.winner, requirement.metric)
        if value is not None and abs(value - requirement.limit) <= NEAR * abs(requirement.limit):
            yield f"Close to a limit, {basis.winner.name}: {gate.detail}"


def _value(line: Standing, metric: str) -> float | None:
    cost = line.cost if isinstance(line.cost, Cost) else None
    known = {
        "latency_p50": line.latency_p50,
        "latency_p95": line.latency_p95,
        "ttft_p95": line.ttft_p95,
        "cost_per_month": cost and cost.per_month,
        "cost_per_1000": cost and cost.per_1000,
    }.get(metric)
    return known.value if isinstance(known, Estimate) else None


def _failures(basis: Basis) -> Iterator[str]:
    for line in basis.lines:
        measurement = basis.measurements.get(line.candidate)
        if measurement is None or not measurement.samples:
            continue
        failed = sum(isinstance(score, Unknown) for score in measurement.scores)
        if failed > MANY_FAILURES * len(measurement.samples):
            kinds = listed([f"{kind} {count}" for kind, count in measurement.failures.items()])
            yield (
                f"{failed} of {counted(len(measurement.samples), 'call')} to {line.name} gave no score"
                + (f" ({kinds})" if kinds else "")
                + ": they are left out, not counted as wrong"
            )


def _late(basis: Basis) -> Iterator[str]:
    for line in basis.lines:
        if isinstance(line.latency_p50, Estimate) and not line.clocked:
            yield f"The latency of {line.name} is not the model's alone: {too_late(line)}; run with less at a time"


def _unreadable(basis: Basis) -> Iterator[str]:
    rates = [(line, line.unparseable_rate) for line in basis.lines if isinstance(line.unparseable_rate, Estimate)]
    known = [(line, rate.value, rate.interval) for line, rate in rates if isinstance(rate.interval, Interval)]
    if not known:
        return
    most, least = max(known, key=lambda row: row[1]), min(known, key=lambda row: row[1])
    if most[2].low > least[2].high:
        yield (
            f"{percent(most[1])} of the answers of {most[0].name} named no label, of {least[0].name} "
            f"{percent(least[1])}: part of the difference is form, not knowledge"
        )


def _chosen(basis: Basis) -> Iterator[str]:
    """Settings chosen on few dev samples: much better there than on test, or the winner's hardly better than others.

    Only rows over as many samples as the chosen one are compared with it; the others were given up earlier.
    """
    for line in basis.lines:
        best = next((row for row in line.dev_choices if row.chosen), None)
        if best is None or best.n > FEW_DEV or not isinstance(line.quality, Estimate):
            continue
        found = []
        if best.accuracy - line.quality.value > OVERFITTED:
            found.append(
                f"got {percent(best.accuracy)} of them right, but {percent(line.quality.value)} of the test samples"
            )
        rivals = [row.accuracy for row in line.dev_choices if not row.chosen and row.n == best.n]
        lead = round((best.accuracy - max(rivals, default=-1.0)) * best.n)
        if line is basis.winner and lead <= CLOSE_CHOICE:
            found.append(f"were {counted(lead, 'sample')} ahead of the next" if lead else "were level with the next")
        if found:
            yield (
                f"The settings of {line.name} were chosen on {counted(best.n, 'dev sample')}: "
                f"they {' and '.join(found)}; on other dev samples the choice may be another"
            )


def _leaks(basis: Basis) -> Iterator[str]:
    exact, near = basis.data.exact_leaks, basis.data.near_leaks
    if exact or near:
        kinds = [f"{count} {kind}" for count, kind in ((exact, "exact"), (near, "near")) if count]
        yield (
            f"{listed(kinds)} {'copy' if exact + near == 1 else 'copies'} of dev samples in the test set: "
            "what was fitted or prompted with them looks better than it is"
        )


def _peeks(basis: Basis) -> Iterator[str]:
    if basis.data.peeks > MANY_PEEKS:
        yield (
            f"{basis.data.peeks} runs have looked at this test set: choices made after looking favour what happens "
            "to fit it; draw fresh test samples"
        )


def _winner(basis: Basis) -> Iterator[str]:
    """What is thin about the winner itself: licence, latency, throughput, facts nobody has read."""
    winner = basis.winner
    if winner is None:
        return
    for question in winner.licence.questions:
        yield f"The licence of {winner.name} leaves a question: {question}"
    if winner.licence.not_read:
        yield f"Of the terms of {winner.name} nobody has read {listed(winner.licence.not_read)}"
    p95 = winner.latency_p95
    if isinstance(p95, Estimate) and isinstance(p95.interval, Unknown):
        yield (
            f"The p95 latency of {winner.name} rests on {counted(p95.n or 0, 'timed request')}: "
            f"it takes {needed_for(0.95)} to say how exact it is"
        )
    if isinstance(winner.cost, Cost) and winner.cost.replicas is not None:
        yield (
            f"The rate of {winner.name} was measured on the machine of this run, not on the one that is priced: "
            "measure there before you order machines"
        )
    unknown = _unknown_facts(basis.evidence[winner.candidate].candidate)
    if unknown:
        yield f"About {winner.name} it is not known: {listed(unknown)}"


def _unknown_facts(candidate: Candidate) -> list[str]:
    if not candidate.is_language_model:
        return []
    model = candidate.model
    facts: dict[str, object] = {
        "its languages": model.languages,
        "how many tokens it reads at once": model.context_tokens,
    }
    if isinstance(candidate.offer, Offer):
        facts |= {
            "how long inputs are kept": candidate.offer.retention,
            "whether inputs train models": candidate.offer.trains_on_inputs,
            "in which regions it runs": candidate.offer.regions,
        }
    return [name for name, fact in facts.items() if isinstance(fact, Unknown)]
