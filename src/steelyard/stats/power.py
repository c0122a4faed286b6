"""What a number of items can show: before they are paid for, and how many more would settle what is open."""

from __future__ import annotations

import math
from functools import partial
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln

POWER = 0.8
DISCORDANCE = 0.25
"""Share of items on which one of two candidates is right and the other wrong, where nothing has been measured."""
TOO_MANY = 100_000
BEFORE = (3.0, 3.0, 18.0)
"""As if so many wins, losses and ties had gone before. A lead that has just been seen is smaller in truth; without
them a forecast of 0.7 came true in 0.61 to 0.74 of cases, with them in 0.62 to 0.80, over five kinds of truth."""


def power(n: int, difference: float, discordance: float = DISCORDANCE, pairs: int = 1, alpha: float = 0.05) -> float:
    """The probability that n items tell two candidates apart whose accuracies differ by `difference`.

    Exact for McNemar's test at alpha / pairs, Holm's first and hardest step: the number of discordant items is
    binomial, and so are the wins among them. A difference above `discordance` raises it.
    """
    share = min(1.0, max(discordance, difference))
    if difference <= 0 or n < 1:
        return alpha / pairs if n else 0.0
    z = NormalDist().inv_cdf(1 - alpha / pairs / 2)
    around, reach = n * share, 9 * math.sqrt(n * share) + 30
    discordant = np.arange(max(1, int(around - reach)), min(n, int(around + reach)) + 1)
    weight = _binomial(n, share, discordant)
    winning = (share + difference) / (2 * share)
    needed = np.floor((discordant + z * np.sqrt(discordant)) / 2)  # so many wins are not enough
    lost = np.where(needed >= discordant, 1.0, bdtr(np.minimum(needed, discordant), discordant, winning))
    return float(min(1.0, (weight * (1 - lost)).sum()))


def smallest_difference(
    n: int, discordance: float = DISCORDANCE, pairs: int = 1, chance: float = POWER, alpha: float = 0.05
) -> float:
    """The smallest difference that n items show with probability `chance`; above 1 when none would."""
    if power(n, 1.0, discordance, pairs, alpha) < chance:
        return math.inf
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, middle, discordance, pairs, alpha) >= chance else (middle, high)
    return high


def items_needed(
    difference: float, discordance: float = DISCORDANCE, pairs: int = 1, chance: float = POWER, alpha: float = 0.05
) -> int:
    """The fewest items that show `difference` with probability `chance`."""
    if difference <= 0:
        raise ValueError("no number of items shows a difference of nothing")
    high = 2
    while power(high, difference, discordance, pairs, alpha) < chance:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, difference, discordance, pairs, alpha) >= chance else (middle, high)
    return high


def chance_to_separate(
    wins: float, losses: float, n: float, more: int, pairs: int = 1, alpha: float = 0.05, seed: int = 0
) -> float:
    """The probability that `more` further items tell the two apart, given what n items have shown.

    Predictive: the shares of wins, losses and ties are drawn from their posterior (Dirichlet, see
    `BEFORE`), then the new items from those; the test at alpha / pairs is McNemar's over old and new together.
    """
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.add((wins, losses, max(0.0, n - wins - losses)), BEFORE), 4000)
    new = generator.multinomial(more, shares)
    up, down = wins + new[:, 0], losses + new[:, 1]
    z = NormalDist().inv_cdf(1 - alpha / pairs / 2)
    return float((np.abs(up - down) > z * np.sqrt(up + down)).mean())


def more_items(
    wins: float, losses: float, n: float, pairs: int = 1, chance: float = 0.7, alpha: float = 0.05, seed: int = 0
) -> int | None:
    """The fewest further items that tell the two apart with probability `chance`; None above a hundred thousand."""
    enough = partial(chance_to_separate, wins, losses, n, pairs=pairs, alpha=alpha, seed=seed)
    high = 8
    while enough(high) < chance:
        high *= 2
        if high > TOO_MANY:
            return None
    low = high // 2
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) >= chance else (middle, high)
    return high


def _binomial(n: int, p: float, k: NDArray[np.int_]) -> NDArray[np.float64]:
    if p >= 1:
        return np.where(k == n, 1.0, 0.0)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    found: NDArray[np.float64] = np.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
    return found
