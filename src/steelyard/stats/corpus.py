"""Metrics of a whole set of answers, such as macro-F1, which no item has alone: by a paired bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Estimated, Interval
from steelyard.stats.means import NO_SPREAD, t_p_value, t_quantile
from steelyard.stats.paired import PairedDifference
from steelyard.stats.proportion import ONE_ITEM

Numbers = NDArray[np.float64]
Metric = Callable[[Numbers, Numbers, Numbers], Numbers]
"""Of right answers, answers and targets by class (last axis) the metric."""

RESAMPLES = 2000
AT_ONCE = 4_000_000
"""So many resampled counts are held in memory at once."""
FEWEST, FEWEST_A_CLASS = 30, 5
"""With fewer items, in all or for a class on average, no bootstrap of macro-F1 holds its level: 81 to 90 % of 95 %."""
METHOD = "bootstrap (BCa)"


def macro_f1(right: Numbers, said: Numbers, true: Numbers) -> Numbers:
    """The mean of the classes' F1; a class that occurs neither as target nor as answer is left out."""
    return _mean(2 * right, said + true)


def micro_f1(right: Numbers, said: Numbers, true: Numbers) -> Numbers:
    """F1 over all classes together. With one target and one answer an item it is accuracy; no answer costs less."""
    whole: Numbers = 2 * right.sum(-1) / np.maximum((said + true).sum(-1), 1e-9)
    return whole


def balanced_accuracy(right: Numbers, said: Numbers, true: Numbers) -> Numbers:
    """The mean of the classes' recall over the classes that are targets."""
    return _mean(right, true)


METRICS: Mapping[str, Metric] = {
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
    "balanced_accuracy": balanced_accuracy,
}


def corpus_metric(
    metric: Metric,
    targets: Sequence[str],
    answers: Sequence[str],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimated:
    """The metric of these answers; "" is no answer. Unknown without items."""
    if not targets:
        return Unknown("no items were scored")
    drawn = _drawn(metric, targets, (answers,), clusters, seed)
    if isinstance(drawn, Unknown):
        return Estimate(float(_whole(metric, targets, answers)), drawn, len(targets), METHOD, "share")
    interval = drawn.interval(level)
    clipped = Interval(max(0.0, interval.low), min(1.0, interval.high), level)
    return Estimate(drawn.value, clipped, len(targets), METHOD, "share")


def corpus_difference(
    metric: Metric,
    targets: Sequence[str],
    first: Sequence[str],
    second: Sequence[str],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference | Unknown:
    """The metric of the first answers less that of the second, both from the same resampled items."""
    if not targets:
        return Unknown("no item was scored for both")
    drawn = _drawn(metric, targets, (first, second), clusters, seed)
    if isinstance(drawn, Unknown):
        value = float(_whole(metric, targets, first) - _whole(metric, targets, second))
        return PairedDifference(Estimate(value, drawn, len(targets), METHOD, "share"), 1.0)
    return PairedDifference(
        Estimate(drawn.value, drawn.interval(level), len(targets), METHOD, "share"), drawn.p_value()
    )


@dataclass(frozen=True)
class Resampled:
    """The value, its resampled values in order, and the corrections of BCa: for bias and for skewness."""

    value: float
    ordered: Numbers
    bias: float
    skew: float
    units: int

    def interval(self, level: float) -> Interval:
        """BCa (Efron, JASA 82 (1987)) with ends as far out as t asks for (Hesterberg, American Statistician 69 (2015)).

        In simulations of macro-F1 percentile intervals cover 84 to 91 % where classes have 5 items each and fall to
        90 % where they have 10; these 92 to 95 %. The value itself always lies inside.
        """
        z = self._widened * t_quantile(level, self.units - 1)
        low, high = (self._at(side) for side in (-z, z))
        return Interval(min(low, self.value), max(high, self.value), level)

    def p_value(self) -> float:
        """The level at which an end of the interval reaches zero."""
        share = float(np.mean(self.ordered < 0) + np.mean(self.ordered == 0) / 2)
        # Beyond all resamples their standard deviation says how far.
        far = -self.value / max(float(self.ordered.std()), NO_SPREAD)
        w = (float(ndtri(share)) if 0 < share < 1 else far) - self.bias
        z = w / (1 + self.skew * w) - self.bias
        return t_p_value(z / self._widened, self.units - 1)

    @property
    def _widened(self) -> float:
        return math.sqrt(self.units / (self.units - 1))

    def _at(self, z: float) -> float:
        moved = self.bias + z
        share = ndtr(self.bias + moved / (1 - self.skew * moved))
        return float(np.quantile(self.ordered, share))


def _drawn(
    metric: Metric,
    targets: Sequence[str],
    answers: Sequence[Sequence[str]],
    clusters: Sequence[Hashable] | None,
    seed: int,
) -> Resampled | Unknown:
    """Resample items (whole clusters, where there are some) with replacement; skewness by leaving each out once."""
    units = _units(targets, answers, clusters)
    n, classes = int(units.times.sum()), len(set(targets))
    if n < 2:
        return Unknown(ONE_ITEM if len(targets) < 2 else "all items are in one cluster")
    if len(targets) < max(FEWEST, FEWEST_A_CLASS * classes):
        needed = max(FEWEST, FEWEST_A_CLASS * classes)
        return Unknown(f"an interval over {classes} classes takes {needed} items, and there are {len(targets)}")
    generator = np.random.default_rng(seed)
    whole = [[units.times @ part for part in parts] for parts in units.counts]
    value = float(_less(metric, whole))
    at_once = max(1, AT_ONCE // len(units.times))
    found = []
    for begin in range(0, RESAMPLES, at_once):
        drawn = generator.multinomial(n, units.times / n, min(at_once, RESAMPLES - begin)).astype(np.float64)
        found.append(_less(metric, [[drawn @ part for part in parts] for parts in units.counts]))
    ordered = np.sort(np.concatenate(found))
    below = float(np.mean(ordered < value) + np.mean(ordered == value) / 2)
    bias = float(ndtri(min(0.999, max(0.001, below))))
    without = _less(
        metric,
        [
            [total - part for total, part in zip(totals, parts, strict=True)]
            for totals, parts in zip(whole, units.counts, strict=True)
        ],
    )
    pull = (without * units.times).sum() / n - without
    squares = float((pull**2 * units.times).sum())
    skew = float((pull**3 * units.times).sum()) / (6 * squares**1.5) if squares > NO_SPREAD else 0.0
    return Resampled(value, ordered, bias, skew, n)


def _less(metric: Metric, contestants: Sequence[Sequence[Numbers]]) -> Numbers:
    """The metric of the first contestant, less that of the second if there is one."""
    found = [metric(*counts) for counts in contestants]
    return found[0] if len(found) == 1 else found[0] - found[1]


@dataclass(frozen=True)
class Units:
    """What is resampled: `times` each kind of unit occurs; by contestant (right, said, true), unit x class."""

    times: NDArray[np.int64]
    counts: tuple[tuple[Numbers, Numbers, Numbers], ...]


def _units(targets: Sequence[str], answers: Sequence[Sequence[str]], clusters: Sequence[Hashable] | None) -> Units:
    """Equal items are one unit that occurs several times; a cluster is a unit of its own."""
    labels = sorted({*targets, *(answer for each in answers for answer in each)} - {""})
    number = {label: k for k, label in enumerate(labels)} | {"": -1}
    rows = list(zip(targets, *answers, strict=True))
    keys: Sequence[Hashable] = rows if clusters is None else clusters
    place: dict[Hashable, int] = {}
    index = np.array([place.setdefault(key, len(place)) for key in keys])
    times = np.bincount(index) if clusters is None else np.ones(len(place), dtype=np.int64)
    alike = times if clusters is None else np.ones_like(times)
    coded = np.array([[number[label] for label in row] for row in rows])
    true = _count(index, coded[:, 0], len(place), len(labels)) / alike[:, None]
    counts = []
    for column in range(1, coded.shape[1]):
        said = _count(index, coded[:, column], len(place), len(labels)) / alike[:, None]
        hit = np.where(coded[:, column] == coded[:, 0], coded[:, 0], -1)
        counts.append((_count(index, hit, len(place), len(labels)) / alike[:, None], said, true))
    return Units(times.astype(np.int64), tuple(counts))


def _count(units: NDArray[np.int_], classes: NDArray[np.int_], n_units: int, n_classes: int) -> Numbers:
    named = classes >= 0
    flat = np.bincount(units[named] * n_classes + classes[named], minlength=n_units * n_classes)
    return flat.reshape(n_units, n_classes).astype(np.float64)


def _whole(metric: Metric, targets: Sequence[str], answers: Sequence[str]) -> float:
    units = _units(targets, (answers,), None)
    return float(_less(metric, [[units.times @ part for part in units.counts[0]]]))


def _mean(above: Numbers, below: Numbers) -> Numbers:
    """Over the classes whose denominator is not zero."""
    occurs = below > 0
    shares = np.where(occurs, above / np.where(occurs, below, 1.0), 0.0)
    found: Numbers = shares.sum(-1) / np.maximum(occurs.sum(-1), 1)
    return found
