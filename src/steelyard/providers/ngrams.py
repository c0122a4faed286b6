"""Word and character n-grams of a text: the features of the linear baseline, in fitting and in serving alike."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_SPACES = re.compile(r"\s+")


def word_ngrams(text: str, longest: int = 2) -> list[str]:
    """Lower-case words and runs of up to `longest` of them, joined by a space.

    >>> word_ngrams("Where's my card?")
    ["where's", 'my', 'card', "where's my", 'my card']
    """
    words = _WORD.findall(text.lower())
    return [
        " ".join(words[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(words) - length + 1)
    ]


def char_ngrams(text: str, shortest: int = 2, longest: int = 5) -> list[str]:
    """Runs of characters inside each lower-case, space-padded, space-separated piece of the text.

    >>> char_ngrams("Hi", 2, 3)
    [' h', 'hi', 'i ', ' hi', 'hi ']
    """
    found = []
    for piece in _SPACES.sub(" ", text.lower()).split(" "):
        padded = f" {piece} " if piece else ""
        for length in range(shortest, longest + 1):
            found += [padded[start : start + length] for start in range(len(padded) - length + 1)]
    return found
