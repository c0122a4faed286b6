"""The same input, or nearly the same, on both sides of the split.

Near means: Jaccard similarity of the sets of character 4-grams >= 0.8, after case, punctuation and white space
are evened out; only the first 2,000 characters are compared. Pairs are found by prefix filtering: with the n
shingles of a text in order of rarity, a text of similarity t shares one of the first n - ceil(t n) + 1
(Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", WWW 2007): common ones are never looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil

from steelyard.usecase.dataset import Leak, Sample

NEAR = 0.8
SHINGLE = 4
COMPARED_CHARACTERS = 2000
MAX_COMPARED = 50  # texts made from one template all resemble each other: bounds the work for each sample
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
    """An index of dev texts by their rare shingles."""

    def __init__(self, known: Sequence[str], asked: set[str]) -> None:
        self.known = known
        self.shingles = [_shingles(text) for text in known]
        self.counts: Counter[str] = Counter()
        for text in (*self.shingles, *map(_shingles, asked)):
            self.counts.update(text)
        self.index: dict[str, list[int]] = defaultdict(list)
        for number, shingles in enumerate(self.shingles):
            for shingle in self._prefix(shingles):
                self.index[shingle].append(number)

    def _prefix(self, shingles: frozenset[str]) -> list[str]:
        """The rarest shingles, of which a similar text must share one; ties in alphabetical order on both sides."""
        ordered = sorted(shingles, key=lambda shingle: (self.counts[shingle], shingle))
        return ordered[: len(ordered) - ceil(round(NEAR * len(ordered), 9)) + 1]

    def _possible(self, shingles: frozenset[str]) -> Iterator[int]:
        """Texts of a fitting size that share a rare shingle, the rarest first, each once."""
        seen: set[int] = set()
        low, high = NEAR * len(shingles), len(shingles) / NEAR
        for shingle in self._prefix(shingles):
            for number in self.index.get(shingle, ()):
                if number in seen or not low <= len(self.shingles[number]) <= high:
                    continue
                seen.add(number)
                yield number
                if len(seen) == MAX_COMPARED:
                    return

    def closest(self, text: str) -> tuple[str, float] | None:
        """The most similar known text at or above the threshold, and its similarity."""
        shingles = _shingles(text)
        best: tuple[str, float] | None = None
        for number in self._possible(shingles):
            other = self.shingles[number]
            shared = len(shingles & other)
            similarity = shared / (len(shingles) + len(other) - shared)
            if similarity >= NEAR and (best is None or similarity > best[1]):
                best = (self.known[number], similarity)
        return best


def _shingles(text: str) -> frozenset[str]:
    text = text[:COMPARED_CHARACTERS]
    return frozenset(text[start : start + SHINGLE] for start in range(max(1, len(text) - SHINGLE + 1)))
