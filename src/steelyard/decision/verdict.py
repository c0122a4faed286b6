"""The verdict in a few plain sentences, computed from the figures."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.decision.basis import Basis
from steelyard.decision.choose import quality_of
from steelyard.decision.compare import comparison_of
from steelyard.decision.record import Standing
from steelyard.decision.sentences import (
    against,
    cost_words,
    counted,
    full_name,
    interval_words,
    licence_words,
    listed,
    right,
    sentence,
)
from steelyard.stats import Estimate, Interval

MANY_ERRORS = 0.10
ROUNDING = 0.03
""""1 in 3" is said of shares so near to a third."""


def verdict(basis: Basis, provisional: bool) -> str:
    """What to take, how good it is, what it costs and allows, and where the best language model stands."""
    said = _taken(basis) if basis.winner else _nothing(basis)
    return f"So far: {said}" if provisional else said


def _taken(basis: Basis) -> str:
    winner, best_model = basis.winner, basis.best_model
    assert winner is not None
    parts = [
        f"Take {full_name(winner)}: {_quality(winner)}, {cost_words(winner.cost, basis.case.workload)}, "
        f"{licence_words(winner)}"
    ]
    parts += _wrong(winner)
    tied = [line for line in basis.ties if line is not best_model]
    if tied:
        names = listed([f"{line.name} ({right(line.quality)})" for line in tied])
        parts.append(f"Not to be told apart from it on these samples: {names}")
    if best_model is None:
        parts.append(no_language_model(basis.lines))
    elif best_model.candidate != winner.candidate:
        known = comparison_of(basis.comparisons, winner.candidate, best_model.candidate)
        how = against(known, quality_of(best_model) > quality_of(winner))
        parts.append(f"The best language model is {best_model.name}, {right(best_model.quality)}; {how}")
    return " ".join(sentence(part) for part in parts)


def no_language_model(lines: Sequence[Standing]) -> str:
    """Why none can be named: none in the study, none measured, or none of the measured passed every gate."""
    models = [line for line in lines if line.is_language_model]
    if not models:
        return "The study names no language model"
    absent = [line for line in models if line.not_measured]
    why = listed([f"{line.name} ({line.not_measured})" for line in absent])
    if len(absent) == len(models):
        return f"No language model was measured: {why}"
    return "No language model passed every gate" + (f"; not measured: {why}" if absent else "")


def _wrong(line: Standing) -> tuple[str, ...]:
    """The errors in round numbers, where they are more than one in ten."""
    wrong = 1 - quality_of(line)
    if wrong <= MANY_ERRORS + 1e-9:
        return ()
    one_in = round(1 / wrong)
    near = abs(1 / one_in - wrong) <= ROUNDING
    return (f"About {f'1 in {one_in}' if near else f'{round(10 * wrong)} in 10'} requests would be answered wrongly",)


def _quality(line: Standing) -> str:
    quality = line.quality
    assert isinstance(quality, Estimate), "only measured candidates pass"
    spread = interval_words(quality)
    where = f"your {counted(quality.n or 0, 'test sample')}"
    level = (
        f", {quality.interval.level:.0%} interval".replace("%", " %") if isinstance(quality.interval, Interval) else ""
    )
    return f"{right(quality)} on {where} ({spread}{level})"


def _nothing(basis: Basis) -> str:
    measured = [line for line in basis.lines if not line.not_measured]
    if not basis.lines:
        return "No candidate passes every gate: the study names none."
    if not measured:
        why = listed([f"{line.name} ({line.not_measured})" for line in basis.lines])
        return sentence(f"No candidate passes every gate: none was measured. {why}")
    nearest = min(measured, key=lambda line: (len(line.ruled_out_by), -quality_of(line)))
    failed = " ".join(gate.detail for gate in nearest.ruled_out_by)
    return f"No candidate passes every gate. The nearest is {full_name(nearest)}: {failed}"
