"""What a race is given and what it says; the items of all models in one random order, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Models: TypeAlias = NDArray[np.intp]
Call: TypeAlias = tuple[int, int]
"""A model and the item it is to answer."""


class RaceProblem(Protocol):
    """The question. `price`: mean USD of a call, one a model; `epsilon`: the loss in mean score that is no loss."""

    @property
    def n_models(self) -> int: ...
    @property
    def n_items(self) -> int: ...
    @property
    def price(self) -> Sequence[float] | Floats: ...
    @property
    def delta(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def seed(self) -> int: ...


class History(Protocol):
    """What was answered: `scores` in [0, 1], models x items, NaN where there is none; `new` came last."""

    @property
    def scores(self) -> NDArray[np.floating]: ...
    @property
    def new(self) -> Sequence[Call]: ...
    @property
    def calls(self) -> int: ...
    @property
    def spend(self) -> float: ...


@dataclass(frozen=True)
class Stop:
    """The race is over.

    `tied`: every model not shown to be worse than the best. `noninferior`: (small, big, margin), small loses at most
    the margin to big. `superior`: (a, b), a is better than b.
    """

    model: int
    tied: tuple[int, ...]
    noninferior: tuple[tuple[int, int, float], ...] = ()
    superior: tuple[tuple[int, int], ...] = ()


Policy: TypeAlias = Callable[[History], "list[Call] | Stop"]

MINIMUM_ASKED = 10
"""A model that left more than half of at least so many items without a score leaves, neither beaten nor chosen."""


class Order:
    """All live models answer the same items in one random order. An item that a live model left without a score counts
    for nobody: it leaves the question.

    The state follows from `scores` alone, so a policy made anew goes on where the old one was: a block that any live
    model has gone beyond has been asked, and what is missing in it has failed.
    """

    def __init__(self, problem: RaceProblem) -> None:
        self.items = np.random.default_rng(problem.seed).permutation(problem.n_items)
        self.asked_to = 0
        self.taken_to = 0
        self.gaps = np.zeros(problem.n_models, dtype=np.intp)

    @property
    def open(self) -> bool:
        """Items are left that nobody was asked about."""
        return self.taken_to < len(self.items)

    def missing(self, scores: NDArray[np.floating], live: Models, size: int) -> list[Call]:
        """The calls that the next block of `size` items still needs; none when it may be taken."""
        start, end = self.taken_to, min(self.taken_to + size, len(self.items))
        empty = np.isnan(scores[np.ix_(live, self.items[start:end])])
        if self.asked_to >= end or not empty.any():
            return []
        if not np.isnan(scores[np.ix_(live, self.items[end:])]).all():
            return []
        self.asked_to = end
        return [(int(live[row]), int(self.items[start + column])) for row, column in np.argwhere(empty)]

    def take(self, scores: NDArray[np.floating], live: Models, size: int) -> Floats:
        """The next block, models x items, without the items that somebody left open."""
        end = min(self.taken_to + size, len(self.items))
        block = scores[np.ix_(live, self.items[self.taken_to : end])].astype(np.float64)
        self.taken_to = end
        empty = np.isnan(block)
        self.gaps[live] += empty.sum(axis=1)
        return block[:, ~empty.any(axis=0)]

    def silent(self, live: Models) -> NDArray[np.bool_]:
        """Which of the live models answer too seldom to be judged."""
        return (self.gaps[live] * 2 > self.taken_to) & (self.taken_to >= MINIMUM_ASKED)
