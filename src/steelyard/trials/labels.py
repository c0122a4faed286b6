"""The closed set of labels: how a model reads them, and which of them its answer names."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

_JOINED = re.compile(r"(?<=[^\W_])[_\-]+(?=[^\W_])|\s+")


def verbalise(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels as words a model can read: `card_arrival` is "card arrival"; as they are where two would collide.

    >>> verbalise(["card_arrival", "Refund-Request", "-1"])
    ('card arrival', 'Refund Request', '-1')
    >>> verbalise(["a_b", "a b"])
    ('a_b', 'a b')
    """
    words = tuple(_JOINED.sub(" ", label) for label in labels)
    return words if len({word.casefold() for word in words}) == len(words) else tuple(labels)


def listed(words: Sequence[str]) -> str:
    """The words as a list for a model: with commas, or one a line where a comma would cut a label in two."""
    plain = not any("," in word for word in words)
    return f": {', '.join(words)}." if plain else "; they stand one a line:\n" + "\n".join(words)


class Labels:
    """All labels of a study, in order, and the word that stands for each."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.words = verbalise(self.labels)
        self._exact = dict(zip((*self.words, *self.labels), (*self.labels, *self.labels), strict=True))
        self._alike: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self.words):
            self._alike[_plain(word)].append(number)
        self._signs = self._alike.pop("", [])

    def parse(self, raw: str) -> tuple[str, bool]:
        """The label that a text names ("" = none), and whether the text was exactly that label.

        Lenient: case, punctuation and surrounding words are ignored, but a text that names two labels (neither
        inside the other) names none. Labels that differ in nothing else (`C`, `C++`) are told apart by how they
        are spelt, and so are those without letters and digits.
        """
        stripped = unicodedata.normalize("NFC", raw.strip())
        if stripped in self._exact:
            return self._exact[stripped], True
        text = f" {_plain(raw)} "
        spelt = " ".join(stripped.split())
        found = self._spelt(spelt, self._signs)
        for form in _found(text, self._alike, lambda form: f"(?<= ){re.escape(form)}(?= )"):
            alike = self._alike[form]
            found += alike if len(alike) == 1 else self._spelt(spelt, alike) or [-1]
        return (self.labels[found[0]], False) if len(found) == 1 and found[0] >= 0 else ("", False)

    def _spelt(self, text: str, alike: Sequence[int]) -> list[int]:
        """Which of these labels stand in the text as they are, or else in another case where that is no other label."""
        for fold in (str, str.casefold):
            words = {fold(self.words[number]): number for number in alike}
            if len(words) == len(alike) and (found := _found(fold(text), words, _bounded)):
                return [words[word] for word in found]
        return []


def _found(text: str, words: Iterable[str], pattern: Callable[[str], str]) -> list[str]:
    """The words that stand in the text, the longest first; what one has taken no other finds."""
    found: list[str] = []
    for word in sorted((word for word in words if word in text), key=lambda word: (-len(word), word)):
        text, count = re.subn(pattern(word), "\0", text)
        found += [word] if count else []
    return found


def _bounded(word: str) -> str:
    """A pattern for the word where no letter or digit goes on at an end that is one."""
    before, after = (r"(?<!\w)" if word[:1].isalnum() else ""), (r"(?!\w)" if word[-1:].isalnum() else "")
    return f"{before}{re.escape(word)}{after}"


def _plain(text: str) -> str:
    """Letters, digits and the marks that belong to them, in one case and Unicode form; all else is a space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return " ".join(re.findall(r"[a-z0-9]+", folded))
    kept = (sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in folded)
    return " ".join("".join(kept).split())
