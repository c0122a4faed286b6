"""Bets against each model's claim to be the best: how sure it is that the race may go on without it.

Take the best model b, and call bad every model more than epsilon below it. Against each model j a bettor starts with
one coin. Before each item he spreads his stake over the other live models, mostly on those that lead, by weights w that
look back only, and wins where they score higher than j on the item. For j = b the items left must favour b: of N items,
with S the lead of the weighted opponents so far and r items left, the mean of the rest is at most -S/r; and at most
-(S + epsilon N w(bad))/r, where w(bad) is what he put on bad models. A bet at that price never gains on average: the
coin is a supermartingale, and the chance that it ever becomes 1/delta is at most delta (Ville).

He does not know who is bad. So he keeps a purse for each possible guard L, settled as if L alone were bad, and one
settled as if none were. Wherever L is bad indeed, both are at most the coin above, for all such L at once. Hence
(1) a purse for L at 1/delta lets j go as long as L stays, (2) the purse for none at 1/delta shows that j is not the
best, and all of this together is wrong with probability delta at most: neither a union over models nor a share of
delta for the second kind of statement is needed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from steelyard.trials.race.shape import Floats, Models, RaceProblem

STAKES = np.array([0.2, 0.45, 1.0])
"""Bets for a pair whose differences have the variance TYPICAL; other variances scale them by its root."""
TYPICAL, TYPICAL_ITEMS = 0.15, 10
LARGEST = 0.7
"""Of what a bettor has, the most he may lose on one item."""
SHARPNESS = 25.0
"""How fast the weight of an opponent falls with the square of its distance to the leader in standard errors."""
QUIET = 10
"""Items before the first bet: who leads is chance until then."""
TINY = 1e-9


class Wealth:
    """The purses of all models, in logarithms."""

    def __init__(self, problem: RaceProblem) -> None:
        models, stakes = problem.n_models, len(STAKES)
        self.epsilon, self.items = problem.epsilon, problem.n_items
        self.goal = math.log(1 / problem.delta)
        self.seen = 0
        self.sums = np.zeros(models)
        self.apart = np.zeros((models, models))
        self.as_none = np.full((stakes, models), -math.log(stakes))
        self.as_guard = np.full((stakes, models, models), -math.log(stakes))
        self.most = np.full(models, -np.inf)
        self.guarded = np.zeros((models, models), dtype=np.bool_)

    @property
    def beaten(self) -> NDArray[np.bool_]:
        """Shown not to be the best."""
        return self.most >= self.goal

    @property
    def beaten_twice(self) -> NDArray[np.bool_]:
        """The same at half of delta, for statements about many models at once."""
        return self.most >= self.goal + math.log(2)

    def left(self) -> int:
        """Items that no live model has answered."""
        return self.items - self.seen

    def lose(self, items: int) -> None:
        """Items left the question."""
        self.items -= items

    def see(self, live: Models, scores: Floats) -> None:
        """One item, answered by every live model."""
        pairs = np.ix_(live, live)
        weights = self._weights(live)
        ahead = weights @ self.sums[live] - self.sums[live]
        fair = -ahead / self.left()
        impossible = fair < -1 - TINY
        fair = np.maximum(fair, TINY - 1)
        if self.seen >= QUIET:
            stakes = self._stakes(weights, self.apart[pairs], fair)
            discount = np.minimum(self.epsilon * self.items * weights / self.left(), (1 - TINY + fair)[:, None])
            gain = 1 + stakes * (weights @ scores - scores - fair)
            self.as_none[:, live] += np.log(gain)
            self.as_guard[:, pairs[0], pairs[1]] += np.log(gain[:, :, None] + stakes[:, :, None] * discount)
        reached = np.where(impossible, np.inf, np.logaddexp.reduce(self.as_none[:, live], axis=0))
        self.most[live] = np.maximum(self.most[live], reached)
        self.seen += 1
        self.sums[live] += scores
        self.apart[pairs] += (scores[:, None] - scores) ** 2
        certain = self.sums[live] - self.sums[live][:, None] + self.epsilon * self.items >= self.left() - TINY
        enough = np.logaddexp.reduce(self.as_guard[:, pairs[0], pairs[1]], axis=0) >= self.goal
        self.guarded[pairs] |= enough | certain

    def _weights(self, live: Models) -> Floats:
        """A row a model: how its bettor spreads his stake over the others."""
        alone = np.eye(len(live), dtype=np.bool_)
        sums = np.where(alone, -np.inf, self.sums[live])
        leader = sums.argmax(axis=1)
        behind = sums[np.arange(len(live)), leader][:, None] - self.sums[live]
        spread = self.apart[np.ix_(live, live)][leader] + 4 * TYPICAL
        logs = np.where(alone, -np.inf, -SHARPNESS * behind**2 / spread)
        weights: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return weights

    def _stakes(self, weights: Floats, apart: Floats, fair: Floats) -> Floats:
        """A stake that suits a drift suits it to the end: the fewer items are left, the more each of them decides."""
        variance = (weights * (apart + TYPICAL_ITEMS * TYPICAL)).sum(axis=1) / (self.seen + TYPICAL_ITEMS)
        wanted = STAKES[:, None] * np.sqrt(TYPICAL / variance) * self.items / self.left()
        stakes: Floats = np.minimum(wanted, LARGEST / (1 + fair))
        return stakes
