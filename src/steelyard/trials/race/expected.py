"""The race that is right on average: it stops where the posterior says so. Not a guarantee; measured
(docs/statistics.md), and refused above fifteen models, where it fails.
"""

from __future__ import annotations

import numpy as np

from steelyard.errors import InputError, Problem
from steelyard.trials.race.shape import Call, Floats, History, Models, Order, Policy, RaceProblem, Stop

MOST_MODELS = 15
FIRST_ITEMS, NEXT_ITEMS = 25, 2
DRAWS = 600
PRIOR_ITEMS, PRIOR_VARIANCE, PRIOR_CORRELATION = 15.0, 0.2, 0.3
"""The covariance of scores before any is seen, and how many items that is worth."""
MIDDLE, ANYWHERE, APART = 0.5, 0.5, 0.1
"""Before any score: where the mean of all models lies, give or take, and how far apart they are (standard deviations).
It draws early leads together, which are mostly luck."""
HOPELESS, THINKABLE = 0.02, 0.004
"""A model leaves where the chance that it is within epsilon of the best is less; it stays
tied where the chance that it is the best was more than the second when it was last looked at."""


def expected(problem: RaceProblem) -> Policy:
    """A policy for one race; made anew it goes on from the same history in the same way."""
    if problem.n_models > MOST_MODELS:
        raise InputError(
            Problem(
                "race-too-many",
                what=f"the race that is right on average was asked to judge {problem.n_models} candidates",
                allowed=f"at most {MOST_MODELS}",
                next_step="use the guaranteed race, or fewer candidates",
            )
        )
    return _Race(problem).next


class _Race:
    def __init__(self, problem: RaceProblem) -> None:
        self.problem = problem
        self.order = Order(problem)
        self.live: Models = np.arange(problem.n_models)
        self.seen: Floats = np.zeros((problem.n_models, 0))
        self.chance = np.ones(problem.n_models)
        self.normal = np.random.default_rng([problem.seed, 1]).standard_normal((DRAWS, problem.n_models))

    def next(self, history: History) -> list[Call] | Stop:
        while len(self.live) > 1 and self.order.open:
            size = NEXT_ITEMS if self.order.taken_to else FIRST_ITEMS
            if calls := self.order.missing(history.scores, self.live, size):
                return calls
            block = self.order.take(history.scores, self.live, size)
            rows = np.full((self.problem.n_models, block.shape[1]), np.nan)
            rows[self.live] = block
            self.seen = np.concatenate([self.seen, rows], axis=1)
            if done := self._look():
                return done
        return self._stop(None)

    def _look(self) -> Stop | None:
        silent = self.order.silent(self.live)
        if silent.any() and not silent.all():
            self.live = self.live[~silent]
        scores = self.seen[self.live]
        if not scores.shape[1]:
            return None
        draws = self._draws(scores)
        best = draws.max(axis=1, keepdims=True)
        self.chance[self.live] = (draws >= best).mean(axis=0)
        near = (draws >= best - self.problem.epsilon).mean(axis=0)
        if near.max() >= 1 - self.problem.delta:
            return self._stop(int(self.live[near.argmax()]))
        keep = near >= HOPELESS
        keep[near.argmax()] = True
        self.live = self.live[keep]
        return None

    def _draws(self, scores: Floats) -> Floats:
        models, items = scores.shape
        means = scores.mean(axis=1)
        apart = scores - means[:, None]
        prior = PRIOR_VARIANCE * ((1 - PRIOR_CORRELATION) * np.eye(models) + PRIOR_CORRELATION)
        left = 1 - self.order.taken_to / self.problem.n_items
        spread = (apart @ apart.T + PRIOR_ITEMS * prior) / (items + PRIOR_ITEMS) / items * left
        before = APART**2 * np.eye(models) + ANYWHERE**2
        kept = before @ np.linalg.inv(before + spread)
        after = spread - spread @ np.linalg.solve(before + spread, spread)
        root = np.linalg.cholesky((after + after.T) / 2 + 1e-12 * np.eye(models))
        middle = MIDDLE + kept @ (means - MIDDLE)
        return np.asarray(middle + self.normal[:, :models] @ root.T)

    def _stop(self, best: int | None) -> Stop:
        if best is None:
            means = self.seen[self.live].mean(axis=1) if self.seen.shape[1] else np.zeros(len(self.live))
            best = int(self.live[means.argmax()])
            if not self.order.open:
                self.chance[self.live] = means >= means.max() - 1e-9
        return Stop(best, tuple(sorted({best, *np.flatnonzero(self.chance >= THINKABLE).tolist()})))
