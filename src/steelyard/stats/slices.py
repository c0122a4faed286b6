"""Parts of the traffic: each part's own mean, drawn towards the overall one as far as its few items demand."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from steelyard.quantities import Unknown
from steelyard.stats.estimate import Estimate, Estimated, Interval
from steelyard.stats.means import spread
from steelyard.stats.multiple import holm

SMALL = 30
"""With fewer items a slice's own figure is hardly more than noise: 95 % intervals reach 17 points and more each way."""
PRIOR_ITEMS = 4
"""A slice's variance counts as if so many items had shown the overall variance: five right answers are no certainty."""


@dataclass(frozen=True)
class Slice:
    """One part. `raw` rests on its own items alone; `shrunk` lends strength from all parts.

    `p_value`: of being like the rest, adjusted over all slices looked at (Holm). `small`: too few items to say much.
    """

    name: str
    n: int
    raw: Estimated
    shrunk: Estimated
    p_value: float

    @property
    def small(self) -> bool:
        return self.n < SMALL

    @property
    def stands_out(self) -> bool:
        return self.p_value < 0.05


def shrunken(
    values: Sequence[float],
    parts: Sequence[str],
    raw: Mapping[str, Estimated],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> tuple[Slice, ...]:
    """The mean of `values` in each of `parts` (one name an item), in the order of `raw`, the parts' own estimates.

    Empirical Bayes in its full form: the parts' true means are normal around an overall mean; how far they spread is
    integrated over (flat prior on the standard deviation; Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4)
    instead of being put at its best guess, which is often zero and then claims too much. Clusters widen every part
    by the factor that they widen the whole.
    """
    x, names = np.asarray(values, dtype=np.float64), list(raw)
    index = np.array([names.index(part) for part in parts])
    n = np.bincount(index, minlength=len(names))
    if len(names) < 2 or (n == 0).any():
        return tuple(Slice(name, int(k), raw[name], raw[name], 1.0) for name, k in zip(names, n, strict=True))
    means = np.bincount(index, x) / n
    inner = np.bincount(index, (x - means[index]) ** 2)
    pooled = max(float(inner.sum()) / max(1, len(x) - len(names)), 1e-9)
    variances = (inner + PRIOR_ITEMS * pooled) / (n - 1 + PRIOR_ITEMS) / n * _design(values, clusters)
    low, middle, high = _posterior(means, variances, level)
    if x.min() >= 0 and x.max() <= 1:  # the variance belongs to the mean: what is drawn in has another one
        uneven = float((n * means * (1 - means)).sum()) / len(x)
        at = (n * np.clip(middle, 0, 1) + PRIOR_ITEMS * x.mean()) / (n + PRIOR_ITEMS)
        at = np.clip(at, 0.5 / (n + PRIOR_ITEMS), 1 - 0.5 / (n + PRIOR_ITEMS))
        variances = at * (1 - at) * (pooled / uneven if uneven > 0 else 1.0) / n * _design(values, clusters)
        low, middle, high = (np.clip(ends, 0, 1) for ends in _posterior(means, variances, level))
    p_values = holm([_unlike_rest(x, index == k, variances[k], n[k]) for k in range(len(names))])
    found = []
    for k, name in enumerate(names):
        own = raw[name]
        unit = own.unit if isinstance(own, Estimate) else "share"
        interval = Interval(float(low[k]), float(high[k]), level)
        method = f"shrunken towards the mean of {len(names)} slices"
        found.append(
            Slice(name, int(n[k]), own, Estimate(float(middle[k]), interval, int(n[k]), method, unit), p_values[k])
        )
    return tuple(found)


def _posterior(
    means: NDArray[np.float64], variances: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lower end, mean and upper end of every part's true mean: a mixture of normals over the spread between parts."""
    widest = 2 * float(means.std()) + 2 * math.sqrt(float(variances.max()))
    between = (np.arange(200) + 0.5)[:, None] / 200 * widest
    weight = 1 / (variances + between**2)  # spread x part
    overall = (weight * means).sum(1) / weight.sum(1)
    log_density = (
        0.5 * np.log(weight).sum(1)
        - 0.5 * np.log(weight.sum(1))
        - 0.5 * (weight * (means - overall[:, None]) ** 2).sum(1)
    )
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    own = between**2 * weight
    centre = own * means + (1 - own) * overall[:, None]
    sd = np.sqrt(own * variances + (1 - own) ** 2 / weight.sum(1)[:, None])
    middle = density @ centre
    reach = 8 * sd.max(0) + np.abs(centre - middle).max(0)

    def quantile(p: float) -> NDArray[np.float64]:
        low, high = middle - reach, middle + reach
        for _ in range(40):
            at = (low + high) / 2
            below = density @ ndtr((at - centre) / sd) < p
            low, high = np.where(below, at, low), np.where(below, high, at)
        middle_of: NDArray[np.float64] = (low + high) / 2
        return middle_of

    return quantile((1 - level) / 2), middle, quantile((1 + level) / 2)


def _design(values: Sequence[float], clusters: Sequence[Hashable] | None) -> float:
    """How much clusters widen the variance of the overall mean; never below 1."""
    if clusters is None:
        return 1.0
    alone, grouped = spread(values), spread(values, clusters)
    if isinstance(alone, Unknown) or isinstance(grouped, Unknown) or alone.standard_error == 0:
        return 1.0
    return float(max(1.0, (grouped.standard_error / alone.standard_error) ** 2))


def _unlike_rest(x: NDArray[np.float64], here: NDArray[np.bool_], variance: float, n: int) -> float:
    """Two-sided p-value of a part against all other items (normal, the part's own variance made sturdy as above)."""
    rest = x[~here]
    if len(rest) < 2 or n < 2:
        return 1.0
    floor = float(x.var()) / n  # under the hypothesis both have the overall variance
    error = math.sqrt(max(variance, floor) + float(x.var()) / len(rest))
    gap = abs(float(x[here].mean()) - float(rest.mean()))
    return math.erfc(gap / error / math.sqrt(2)) if error > 0 else 1.0
