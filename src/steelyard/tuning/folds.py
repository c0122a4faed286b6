"""Cross-validation in equal shares of every class, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]

FOLDS = 5
LARGE = 4000
"""From so many samples on, one fold in five stands for all: its accuracy is exact enough to choose by."""
LARGE_WORK = 200_000
"""Samples times classes from which on it is the time that forbids more: every class is fitted against all others."""


def large(targets: Ints) -> bool:
    """Whether a choice of settings has to make do with one fold."""
    return len(targets) >= LARGE or len(targets) * len(np.unique(targets)) >= LARGE_WORK


def fold_numbers(targets: Ints, seed: int) -> Ints:
    """One fold number a sample; each class is spread over the folds as evenly as its size allows."""
    rng = np.random.default_rng(seed)
    numbers = np.empty(len(targets), np.int64)
    start = 0
    for target in np.unique(targets):
        members = rng.permutation(np.flatnonzero(targets == target))
        numbers[members] = (start + np.arange(len(members))) % FOLDS
        start += len(members)
    return numbers


def splits(targets: Ints, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of (rows to fit on, rows to look at), leaving out pairs that have fewer than two classes to fit on."""
    numbers = fold_numbers(targets, seed)
    for number in range(1 if large(targets) else FOLDS):
        inside, outside = np.flatnonzero(numbers != number), np.flatnonzero(numbers == number)
        if len(outside) and len(np.unique(targets[inside])) > 1:
            yield inside, outside
