"""The same input, or nearly the same, on both sides of the split.

Near means: Jaccard similarity of the sets of character 4-grams >= 0.8, after case, punctuation and white space
are evened out; only the first 1,000 characters are compared. Pairs are found by prefix filtering: with the n
shingles of each text in order of rarity, two texts of similarity t share k of their first n - ceil(t n) + k
(Wang, Li and Feng, "Can we beat the prefix filtering?", SIGMOD 2012, section 3): common ones are never looked up.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from steelyard.usecase.dataset import Leak, Sample

Sizes = TypeVar("Sizes", int, npt.NDArray[np.int64])

NEAR = 0.8
SHINGLE = 4
COMPARED_CHARACTERS = 1000
MAX_LISTED = 1000  # texts made from one template all resemble each other: these two bound the work for each
MAX_COMPARED = 50
_NO_WORD = re.compile(r"[\W_]+")


def normalised(text: str) -> str:
    """Case, punctuation, white space and Unicode variants evened out; a text of punctuation only stays as it is.

    >>> normalised("Where  is my CARD?!")
    'where is my card'
    """
    plain = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return plain or text


def find_leaks(dev: Sequence[Sample], test: Sequence[Sample]) -> tuple[Leak, ...]:
    """At most one leak for each test sample: the most similar dev sample, 1.0 for an exact duplicate."""
    first: dict[str, str] = {}
    for sample in dev:
        first.setdefault(normalised(sample.input), sample.id)
    near = _Near(list(first))
    leaks: list[Leak] = []
    for sample in test:
        text = normalised(sample.input)
        if text in first:
            leaks.append(Leak(first[text], sample.id, 1.0))
        elif found := near.closest(text):
            leaks.append(Leak(first[found[0]], sample.id, found[1]))
    return tuple(leaks)


class _Near:
    """An index of dev texts by their rare shingles. A shingle is its rank, the rarest first.

    Shingles that no dev text has are the rarest of all and match nothing: they are only counted.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known
        counts = Counter(shingle for text in known for shingle in _shingles(text))
        self.rank = {shingle: number for number, shingle in enumerate(sorted(counts, key=lambda s: (counts[s], s)))}
        self.ranks = [frozenset(self._ranks(text)[1]) for text in known]
        self.sizes = np.array([len(ranks) for ranks in self.ranks], np.int64)
        self.index: dict[int, array[int]] = defaultdict(lambda: array("i"))
        for number, ranks in enumerate(self.ranks):
            for shingle in _prefix(len(ranks), sorted(ranks)):
                if len(self.index[shingle]) < MAX_LISTED:
                    self.index[shingle].append(number)

    def closest(self, text: str) -> tuple[str, float] | None:
        """The most similar known text at or above the threshold, and its similarity."""
        size, ranks = self._ranks(text)
        best: tuple[str, float] | None = None
        for number in self._possible(size, ranks):
            shared = len(self.ranks[number].intersection(ranks))
            similarity = shared / (size + len(self.ranks[number]) - shared)
            if similarity >= NEAR and (best is None or similarity > best[1]):
                best = (self.known[number], similarity)
        return best

    def _ranks(self, text: str) -> tuple[int, list[int]]:
        """How many shingles a text has, and the ranks of those that a dev text has too, the rarest first."""
        shingles = _shingles(text)
        return len(shingles), sorted(self.rank[shingle] for shingle in shingles if shingle in self.rank)

    def _possible(self, size: int, ranks: list[int]) -> list[int]:
        """Known texts of a fitting size that share enough rare shingles, those that share most first."""
        listed = [
            np.frombuffer(self.index[shingle], np.intc) for shingle in _prefix(size, ranks) if shingle in self.index
        ]
        if not listed:
            return []
        shared = np.bincount(np.concatenate(listed))
        numbers = np.flatnonzero(shared >= _shared(_least(size)))
        sizes, counts = self.sizes[numbers], shared[numbers]
        fitting = (
            (NEAR * size <= sizes) & (sizes <= size / NEAR) & (counts >= np.minimum(_shared(size), _shared(sizes)))
        )
        numbers, counts = numbers[fitting], counts[fitting]
        return [int(number) for number in numbers[np.argsort(-counts, kind="stable")[:MAX_COMPARED]]]


def _prefix(size: int, ranks: list[int]) -> list[int]:
    """Of a text's shingles in order of rarity, those that must be looked up; the unknown ones come first."""
    return ranks[: max(0, size - _least(size) + _shared(size) - (size - len(ranks)))]


def _least(size: int) -> int:
    """How many shingles a text of this size must share with a near duplicate."""
    return ceil(round(NEAR * size, 9))


def _shared(size: Sizes) -> Sizes:
    """How many rare shingles (k) two texts must share before they are compared in full."""
    return 1 + size // 16


def _shingles(text: str) -> set[str]:
    text = text[:COMPARED_CHARACTERS]
    return {text[start : start + SHINGLE] for start in range(max(1, len(text) - SHINGLE + 1))}
