"""What the race is measured against: a paired betting race with one kill test a model and a tolerance test a pair,
and a stop by the posterior of the means. Neither is used by the product.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from steelyard.trials.race import Stop

BETS = np.array([0.12, 0.25, 0.45, 0.8])
FIRST, NEXT = 10, 5


class Lockstep:
    """All live models answer the same items, block by block."""

    first, next_items = FIRST, NEXT

    def __init__(self, problem: Any) -> None:
        self.problem, self.models, self.items = problem, problem.n_models, problem.n_items
        self.order = np.random.default_rng(problem.seed).permutation(self.items)
        self.live, self.seen, self.asked = np.arange(self.models), 0, 0

    def __call__(self, history: Any) -> list[tuple[int, int]] | Stop:
        if self.asked:
            block = history.scores[np.ix_(self.live, self.order[self.seen : self.seen + self.asked])].astype(float)
            if stop := self.look(block, history):
                return stop
        self.asked = min(self.next_items if self.seen else self.first, self.items - self.seen)
        return [(int(m), int(i)) for m in self.live for i in self.order[self.seen : self.seen + self.asked]]

    def look(self, block: np.ndarray, history: Any) -> Stop | None:
        raise NotImplementedError

    def stop(self, row: int) -> Stop:
        return Stop(int(self.live[row]), tuple(self.live.tolist()))


class Reference(Lockstep):
    """A mixture over four bets, without replacement; 0.8 of delta for the kill tests, 0.2 for the pairs."""

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        models = self.models
        self.kill, self.pair = np.zeros((4, models)), np.zeros((4, models, models))
        self.most_kill, self.most_pair = np.full(models, -np.inf), np.full((models, models), -np.inf)
        self.sums = np.zeros(models)

    def look(self, block: np.ndarray, history: Any) -> Stop | None:
        live, epsilon, delta = self.live, self.problem.epsilon, self.problem.delta
        pairs, sums = np.ix_(live, live), self.sums[live]
        order = np.argsort(-sums, kind="stable")
        leader = np.full(len(live), order[0])
        leader[order[0]] = order[1]
        for column, scores in enumerate(block.T):
            left = self.items - self.seen - column
            self.most_kill[live], self.kill[:, live] = bet(
                self.kill[:, live], self.most_kill[live], scores[leader] - scores, -(sums[leader] - sums) / left
            )
            price = (-self.items * epsilon - (sums - sums[:, None])) / left
            self.most_pair[pairs], self.pair[:, pairs[0], pairs[1]] = bet(
                self.pair[:, pairs[0], pairs[1]], self.most_pair[pairs], scores - scores[:, None], price
            )
            sums = sums + scores
        self.sums[live], self.seen = sums, self.seen + block.shape[1]
        keep = self.most_kill[live] < math.log(1 / (0.8 * delta))
        keep[np.argmax(sums)] |= not keep.any()
        self.live, sums = live[keep], sums[keep]
        if len(self.live) == 1 or self.seen >= self.items:
            return self.stop(int(sums.argmax()))
        enough = self.most_pair[np.ix_(self.live, self.live)] >= math.log((self.models - 1) / (0.2 * delta))
        np.fill_diagonal(enough, True)
        good = np.flatnonzero(enough.all(axis=0))
        return self.stop(int(good[sums[good].argmax()])) if len(good) else None


def bet(wealth: np.ndarray, most: np.ndarray, gain: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One item: the highest log wealth of the mixture so far, and the wealth of each bet."""
    stake = np.minimum(BETS.reshape(-1, *[1] * gain.ndim), 0.98 / np.maximum(1 + price, 1e-9))
    wealth = wealth + np.log(np.maximum(1 + stake * (gain - price), 1e-300))
    mixture = np.logaddexp.reduce(wealth, axis=0) - math.log(len(BETS))
    return np.maximum(most, np.where(price < -1 - 1e-9, np.inf, mixture)), wealth


class PosteriorStop(Lockstep):
    """Normal posterior of the paired means; stops where one is within epsilon of the best with 1 - delta."""

    first = 15

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        self.normal = np.random.default_rng(problem.seed).standard_normal((600, self.models))

    def look(self, block: np.ndarray, history: Any) -> Stop | None:
        self.seen += self.asked
        scores = history.scores[np.ix_(self.live, self.order[: self.seen])].astype(float)
        means, models = scores.mean(axis=1), len(self.live)
        if self.seen >= self.items or models == 1:
            return self.stop(int(means.argmax()))
        apart = scores - means[:, None]
        prior = 0.2 * (0.7 * np.eye(models) + 0.3)
        spread = (apart @ apart.T + 6 * prior) / (self.seen + 6) / self.seen * (1 - self.seen / self.items)
        root = np.linalg.cholesky(spread + 1e-12 * np.eye(models))
        draws = means + self.normal[:, :models] @ root.T
        near = (draws >= draws.max(axis=1, keepdims=True) - self.problem.epsilon).mean(axis=0)
        if near.max() >= 1 - self.problem.delta:
            return self.stop(int(near.argmax()))
        keep = near >= 0.002
        keep[means.argmax()] = True
        self.live = self.live[keep]
        return None
