"""The same input, or nearly the same, on both sides of the split.

Near means: Jaccard similarity of the sets of character 4-grams >= 0.8, after case, punctuation and white space
are evened out; only the first 1,000 characters are compared. Pairs are found by prefix filtering: with the n
shingles of each text in order of rarity, two texts of similarity t share k of their first n - ceil(t n) + k
(Wang, Li and Feng, "Can we beat the prefix filtering?", SIGMOD 2012, section 3): common ones are never looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from heapq import nlargest
from math import ceil

from steelyard.usecase.dataset import Leak, Sample

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
    texts = [normalised(sample.input) for sample in test]
    near = _Near(list(first), set(texts) - first.keys())
    leaks: list[Leak] = []
    for sample, text in zip(test, texts, strict=True):
        if text in first:
            leaks.append(Leak(first[text], sample.id, 1.0))
        elif found := near.closest(text):
            leaks.append(Leak(first[found[0]], sample.id, found[1]))
    return tuple(leaks)


class _Near:
    """An index of dev texts by their rare shingles. A shingle is its rank, the rarest first."""

    def __init__(self, known: Sequence[str], asked: Iterable[str]) -> None:
        self.known = known
        texts = {text: _shingles(text) for text in (*known, *asked)}
        counts = Counter(shingle for shingles in texts.values() for shingle in shingles)
        rank = {shingle: number for number, shingle in enumerate(sorted(counts, key=lambda s: (counts[s], s)))}
        self.ranks = {text: frozenset(rank[shingle] for shingle in shingles) for text, shingles in texts.items()}
        self.sizes = [len(self.ranks[text]) for text in known]
        self.index: dict[int, list[int]] = defaultdict(list)
        for number, text in enumerate(known):
            for shingle in self._prefix(text):
                self.index[shingle].append(number)

    def _prefix(self, text: str) -> list[int]:
        ordered = sorted(self.ranks[text])
        return ordered[: len(ordered) - _least(len(ordered)) + _shared(len(ordered))]

    def _possible(self, text: str) -> list[int]:
        """Known texts of a fitting size that share enough rare shingles, those that share most first."""
        size = len(self.ranks[text])
        shared: Counter[int] = Counter()
        for shingle in self._prefix(text):
            shared.update(self.index.get(shingle, ())[:MAX_LISTED])
        fewest, smallest, largest = _shared(_least(size)), NEAR * size, size / NEAR
        fitting = [
            number
            for number, count in shared.items()
            if count >= fewest
            and smallest <= self.sizes[number] <= largest
            and count >= min(_shared(size), _shared(self.sizes[number]))
        ]
        return nlargest(MAX_COMPARED, fitting, key=shared.__getitem__)

    def closest(self, text: str) -> tuple[str, float] | None:
        """The most similar known text at or above the threshold, and its similarity."""
        ranks = self.ranks[text]
        best: tuple[str, float] | None = None
        for number in self._possible(text):
            shared = len(ranks & self.ranks[self.known[number]])
            similarity = shared / (len(ranks) + self.sizes[number] - shared)
            if similarity >= NEAR and (best is None or similarity > best[1]):
                best = (self.known[number], similarity)
        return best


def _least(size: int) -> int:
    """How many shingles a text of this size must share with a near duplicate."""
    return ceil(round(NEAR * size, 9))


def _shared(size: int) -> int:
    """How many rare shingles (k) two texts must share before they are compared in full."""
    return 1 + size // 16


def _shingles(text: str) -> set[str]:
    text = text[:COMPARED_CHARACTERS]
    return {text[start : start + SHINGLE] for start in range(max(1, len(text) - SHINGLE + 1))}
