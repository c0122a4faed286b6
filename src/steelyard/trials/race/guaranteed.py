"""The race whose errors hold in the worst case: for any scores in [0, 1], over the random order of the items.

With probability 1 - delta the model returned loses at most epsilon to the best on these items, and the best is in
`tied`. `superior` is wrong in at most delta of the races, whatever the number of models: it is said only where all
models but one are beaten at delta / 2. If m models share the first place, at least m - 1 of them must then be beaten
wrongly, and by Markov's inequality the chance of that is at most m / (m - 1) * delta / 2.
"""

from __future__ import annotations

import numpy as np

from steelyard.trials.race.shape import Call, History, Models, Order, Policy, RaceProblem, Stop
from steelyard.trials.race.wealth import TYPICAL, Wealth

FIRST_ITEMS, NEXT_ITEMS = 10, 5
CLOSE = 0.5
"""To the leader, in standard errors."""


def guaranteed(problem: RaceProblem) -> Policy:
    """A policy for one race; made anew it goes on from the same history in the same way."""
    return _Race(problem).next


class _Race:
    def __init__(self, problem: RaceProblem) -> None:
        self.problem = problem
        self.price = np.asarray(problem.price, dtype=np.float64)
        self.order, self.wealth = Order(problem), Wealth(problem)
        self.live: Models = np.arange(problem.n_models)
        self.leaning: list[int] = []
        """Models that left without being beaten: each needs a guard to the end."""

    def next(self, history: History) -> list[Call] | Stop:
        while len(self.live) > 1 and self.order.open:
            size = NEXT_ITEMS if self.order.taken_to else FIRST_ITEMS
            if calls := self.order.missing(history.scores, self.live, size):
                return calls
            self._take(history, size)
        return self._stop()

    def _take(self, history: History, size: int) -> None:
        before = self.order.taken_to
        block = self.order.take(history.scores, self.live, size)
        self.wealth.lose(self.order.taken_to - before - block.shape[1])
        for scores in block.T:
            self.wealth.see(self.live, scores)
        silent = self.order.silent(self.live)
        if silent.any() and not silent.all():
            self.live = self.live[~silent]
            self.leaning = [model for model in self.leaning if self.wealth.guarded[model, self.live].any()]
        self._let_go()

    def _let_go(self) -> None:
        """From the last upwards: who is beaten or guarded may go, if all who lean on it have another guard.

        A lone guard must stay to the end even when it has fallen behind itself, so whoever is about to lean waits until
        everyone close to the lead guards it.
        """
        beaten, guarded = self.wealth.beaten, self.wealth.guarded
        close = self._close()
        for model in self.live[np.argsort(self.wealth.sums[self.live], kind="stable")]:
            rest = self.live[self.live != model]
            if not len(rest):
                return
            alone = not beaten[model]
            likely = close[np.isin(close, rest)]
            if alone and not (guarded[model, rest].any() and guarded[model, likely].all()):
                continue
            if all(guarded[other, rest].any() for other in self.leaning):
                self.live = rest
                self.leaning += [int(model)] * alone

    def _close(self) -> Models:
        sums = self.wealth.sums[self.live]
        leader = sums.argmax()
        spread = self.wealth.apart[self.live[leader], self.live] + 4 * TYPICAL
        close: Models = self.live[sums[leader] - sums <= CLOSE * np.sqrt(spread)]
        return close

    def _stop(self) -> Stop:
        wealth, models = self.wealth, range(self.problem.n_models)
        sums = wealth.sums[self.live]
        first = self.live[sums >= sums.max() - 1e-9]
        best = int(first[np.argmin(self.price[first])])
        whole = wealth.left() == 0
        known = set(self.live.tolist()) if whole else set()
        behind = {model for model in known if wealth.sums[model] < sums.max() - 1e-9}
        others = [model for model in models if model != best]
        tied = [model for model in models if not wealth.beaten[model] and model not in behind]
        superior = [model for model in others if model in behind]
        if all(wealth.beaten_twice[model] for model in others if model not in behind):
            superior = others
        judged = [model for model in others if not self._unjudged(model)]
        return Stop(
            best,
            tuple(sorted({best, *tied})),
            tuple((best, other, self.problem.epsilon) for other in judged),
            tuple((best, other) for other in superior if other in judged),
        )

    def _unjudged(self, model: int) -> bool:
        """It answered too seldom, or whoever guarded it did."""
        gone = model not in self.live and not self.wealth.beaten[model]
        return gone and not self.wealth.guarded[model, self.live].any()
