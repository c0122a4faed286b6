"""What a candidate that was not measured would have to reach, and what finding out costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from statistics import median

from steelyard.decision.basis import Basis
from steelyard.decision.choose import cost_of_line
from steelyard.decision.compare import ALPHA
from steelyard.decision.figures import scored
from steelyard.decision.record import Standing, WouldNeed
from steelyard.decision.sentences import counted, percent, sentence, usd
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated, holm
from steelyard.trials import Measurement, NotMeasured

RULED_OUT = frozenset({"licence", "privacy", "ways"})


def would_need(basis: Basis) -> tuple[WouldNeed, ...]:
    """One for every candidate that could still be measured: not ruled out by licence, privacy or ways.

    Terms that nobody has read do not rule it out here, but the sentence says that they come first.

    The threshold is the smallest number of right answers on the winner's samples that would be clearly better.
    It supposes that the newcomer disagrees with the winner as often as the measured candidates disagree with each
    other: the median, over all measured pairs, of the share of samples on which one is right and the other wrong,
    divided by what two independent candidates of the same accuracy would show (1 where there is no pair). The
    p-value is McNemar's on those discordant samples, Holm-adjusted together with the pairs already measured.
    """
    found = []
    for line in basis.lines:
        measurement = basis.evidence[line.candidate].measurement
        if not isinstance(measurement, NotMeasured) or measurement.gate in RULED_OUT:
            continue
        if any(gate.outcome == "failed" and gate.name in RULED_OUT for gate in line.gates):
            continue
        needed, text = _needed(basis, line)
        found.append(
            WouldNeed(
                candidate=line.candidate,
                reason=measurement.reason,
                needed_quality=needed,
                calls=measurement.calls,
                cost_to_find_out=measurement.cost_to_find_out,
                sentence=" ".join(sentence(part) for part in (text, _finding_out(measurement), *_unread(line))),
            )
        )
    return tuple(found)


def _unread(line: Standing) -> tuple[str, ...]:
    unread = [gate.detail for gate in line.gates if gate.name == "licence" and gate.outcome == "unknown"]
    return tuple(f"its terms have to be settled first: {detail[0].lower()}{detail[1:]}" for detail in unread)


def _needed(basis: Basis, line: Standing) -> tuple[Estimated, str]:
    for gate in line.gates:
        if gate.outcome == "failed":
            return Unknown(gate.detail), f"No accuracy would make {line.name} pass: {gate.detail}"
    floor = _floor(basis)
    if basis.winner is None or not isinstance(basis.winner.quality, Estimate):
        if floor is None:
            return Unknown("nothing was measured to compare it with"), f"Any accuracy would put {line.name} first"
        return _threshold(
            floor, None, "quality floor"
        ), f"To pass, {line.name} would have to get {percent(floor)} right"
    n = basis.winner.quality.n or 0
    right = round(basis.winner.quality.value * n)
    separable = _separable(basis, right, n)
    least = math.ceil((floor or 0.0) * n - 1e-9)
    tie = _tie(basis, line, right, least, separable)
    better = next((count for count in range(right + 1, n + 1) if separable(count)), None)
    if better is None:
        needed: Estimated = Unknown(f"even {n:,} of {n:,} right would not be clearly better")
        text = f"Even with all {n:,} samples right {line.name} would not be clearly better than {basis.winner.name}"
        return needed, text + tie
    better = max(better, least)
    text = (
        f"To be clearly better than {basis.winner.name}, {line.name} would have to get {better:,} of {n:,} right "
        f"({percent(better / n)})"
    )
    return _threshold(better / n, n, "smallest separable win at the usual discordance"), text + tie


def _tie(basis: Basis, line: Standing, right: int, least: int, separable: Callable[[int], bool]) -> str:
    """The accuracy at which a cheaper candidate would tie, as the end of a sentence; "" if it is not cheaper."""
    assert basis.winner is not None
    mine, theirs = cost_of_line(line), cost_of_line(basis.winner)
    if isinstance(mine, Unknown) or isinstance(theirs, Unknown) or mine.value >= theirs.value:
        return ""
    quality = basis.winner.quality
    assert isinstance(quality, Estimate)
    low = right
    while low > least and not separable(low - 1):
        low -= 1
    return f"; being cheaper, it would tie from {low:,} right ({percent(low / (quality.n or 1))})"


def _separable(basis: Basis, right: int, n: int) -> Callable[[int], bool]:
    """Whether a newcomer with that many right answers could be told apart from the winner."""
    ratio = _discordance(list(basis.measurements.values()))
    measured = [comparison.p_value for comparison in basis.comparisons]

    def separable(count: int) -> bool:
        gap = abs(count - right)
        independent = (count * (n - right) + right * (n - count)) / n
        discordant = max(gap, ratio * independent)
        p = math.erfc(gap / math.sqrt(2 * discordant)) if gap else 1.0
        return holm([*measured, p])[-1] < ALPHA

    return separable


def _discordance(measurements: list[Measurement]) -> float:
    ratios = []
    for first, second in combinations([scored(measurement) for measurement in measurements], 2):
        common = first.keys() & second.keys()
        if not common:
            continue
        p, q = (sum(scores[sample] for sample in common) / len(common) for scores in (first, second))
        independent = p * (1 - q) + q * (1 - p)
        if independent > 0:
            observed = sum(abs(first[sample] - second[sample]) for sample in common) / len(common)
            ratios.append(observed / independent)
    return median(ratios) if ratios else 1.0


def _floor(basis: Basis) -> float | None:
    floors = [required.limit for required in basis.case.require if required.metric == basis.case.task.metric]
    return max(floors, default=None)


def _threshold(value: float, n: int | None, method: str) -> Estimate:
    return Estimate(value, Unknown("a threshold, not a measurement"), n, method, "share")


def _finding_out(measurement: NotMeasured) -> str:
    cost = measurement.cost_to_find_out
    price = f"a cost not known ({cost.reason})" if isinstance(cost, Unknown) else f"about {usd(float(cost))}"
    calls = f"{counted(measurement.calls, 'call')} and " if measurement.calls else ""
    return f"finding out takes {calls}{price}"
