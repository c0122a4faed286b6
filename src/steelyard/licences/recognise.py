"""Which licence a text is: named with certainty, or not at all.

A text becomes its runs of five words in order, after case, line breaks, markup, list numbers and punctuation are
evened out; each run is kept as a 32-bit hash, so the project holds no licence's text. A name needs four things: the
text, from the first to the last passage it shares with the licence, is that licence and nothing else; no number in it
differs; every sibling that is known shares less; and beside it stands neither another licence nor much else. A sibling
that is not known here thus stays without a name.
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import pairwise

RUN = 5
FEWEST_RUNS = 40
"""Below some fifty words nothing is named: a link or a heading is no licence."""
PASSAGE = 10
"""So many runs on end that match are a passage; fewer may be the law's common phrases."""
SAME = 0.985
"""Share of the runs between first and last passage that must match, in the text and in the licence."""
OF_LICENCE = 0.25
"""Least share of the licence that must stand in the text."""
NEAR = 0.4
"""Licences that hold this much of what the best one shares with the text are its rivals."""
FOR, AGAINST = 3, 4
"""Runs of its own that a name needs against a rival, and how many times as many as the rival has of its own."""
WHOLE = 0.97
MOST_BESIDE = 60
"""More words before the first and after the last passage than a title, a copyright line and a greeting have."""
MOST_OF = 0.9
"""Of a second licence those are told that share as much with it, but for a tenth."""
MOST_WORDS = 12
"""So many words that differ are told, and a copyright line has no more than that."""
_MARKUP = re.compile(r"<[^<>]{1,200}>|\]\([^()\s]*\)|\\(?=\W)|(?<![\w.])\(?\d{1,2}(?:\\?[.)])(?=\s)")
_HYPHEN = re.compile(r"(?<=\w)-\s*(?=\w)")
_WORD = re.compile(r"[^\W_]+")
_YEARS = re.compile(r"(?:(?:19|20)\d\d){1,2}")
_DECISIVE = re.compile(r"\d|^(non|not|no|only|except|unless|million|billion|commercial|research)$")


@dataclass(frozen=True)
class Fingerprint:
    """The runs of one copy of a licence, by hash and in order; where its text was read, and when (ISO date)."""

    licence: str
    source: str
    as_of: str
    runs: tuple[int, ...]
    known: frozenset[int]


@dataclass(frozen=True)
class Recognised:
    """The licence that a text is. Shares are of runs: how much of the text is it, how much of it is there.

    `places` counts where, between the first and last passage, the two differ all the same, and `words` are the first
    of those that the text has there; the holder's name and year in a copyright line are no difference.
    """

    licence: str
    of_text: float
    of_licence: float
    places: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Abstained:
    """No licence is named, and why; `nearest` holds those that it might be."""

    reason: str
    nearest: tuple[str, ...] = ()


def words_of(text: str) -> list[str]:
    """The words that count, in order."""
    plain = html.unescape(unicodedata.normalize("NFKC", text)).casefold()
    return _WORD.findall(_HYPHEN.sub("", _MARKUP.sub(" ", plain)))


def runs_of(words: Sequence[str]) -> tuple[int, ...]:
    """The hashes of all runs of five words, in order."""
    return tuple(_hash(" ".join(words[start : start + RUN])) for start in range(len(words) - RUN + 1))


def recognise(text: str, known: Sequence[Fingerprint] | None = None) -> Recognised | Abstained:
    """The licence that the text is, whole or in good part, or why none is named."""
    words = words_of(text)
    runs = runs_of(words)
    here = frozenset(runs)
    if len(here) < FEWEST_RUNS:
        return Abstained(f"{len(here)} runs of {RUN} words are too few to tell a licence by")
    shared = [(one, here & one.known) for one in (fingerprints() if known is None else known)]
    best, common = max(shared, key=lambda pair: (len(pair[1]), len(pair[1]) / len(pair[0].known)))
    of_licence = len(common) / len(best.known)
    if of_licence < OF_LICENCE:
        return Abstained("it resembles no licence that is known here")
    text_span, licence_span, gaps = _aligned(runs, best.runs)
    same = 1 - max(_length(gaps) / max(1, len(span)) for span, gaps in ((text_span, gaps[0]), (licence_span, gaps[1])))
    if not text_span or same < SAME:
        return Abstained(f"{100 * (1 - same):.0f} % of it differ from the nearest licence", (best.licence,))
    places = [gap for gap in gaps[0] if not _is_copyright_line(words, gap)]
    changed = [word for gap in places for word in words[gap.start + RUN - 1 : gap.stop]]
    decisive = [word for word in changed if _DECISIVE.search(word)]
    if decisive:
        return Abstained(f"it differs from the nearest licence in {', '.join(decisive[:5])}", (best.licence,))
    rivals = [one for one, both in shared if one.licence != best.licence and len(both) >= NEAR * len(common)]
    open_ones = tuple(dict.fromkeys(rival.licence for rival in rivals if not _speaks_for(best, rival, here)))
    if open_ones:
        return Abstained("what would tell them apart is not in the text", (best.licence, *open_ones))
    beside = [*runs[: text_span.start], *runs[text_span.stop :]]
    second = _another(beside, best, [one for one, _ in shared])
    if second:
        return Abstained("it holds more than one licence", (best.licence, *second))
    if len(beside) > MOST_BESIDE:
        return Abstained(f"it holds some {len(beside)} words beside a licence", (best.licence,))
    return Recognised(best.licence, len(common) / len(here), of_licence, len(places), tuple(changed[:MOST_WORDS]))


def _aligned(text: Sequence[int], licence: Sequence[int]) -> tuple[range, range, tuple[list[range], list[range]]]:
    """From the first to the last passage in common, in both; and what lies between without a match, in both."""
    blocks = SequenceMatcher(None, text, licence, autojunk=False).get_matching_blocks()
    passages = [block for block in blocks if block.size >= PASSAGE]
    if not passages:
        return range(0), range(0), ([], [])
    first, last = passages[0], passages[-1]
    inside = [block for block in blocks if first.a <= block.a <= last.a and block.size]
    gaps: tuple[list[range], list[range]] = ([], [])
    for one, after in pairwise(inside):
        gaps[0].append(range(one.a + one.size, after.a))
        gaps[1].append(range(one.b + one.size, after.b))
    return range(first.a, last.a + last.size), range(first.b, last.b + last.size), gaps


def _is_copyright_line(words: Sequence[str], gap: range) -> bool:
    """Whether what differs is who holds the copyright, since when: the blanks that a licence leaves for it."""
    own = words[gap.start + RUN - 1 : gap.stop]
    others = [word for word in own if not _YEARS.fullmatch(word)]
    after_the_word = RUN - 2 + gap.start < len(words) and words[gap.start + RUN - 2] == "copyright"
    return bool(own) and after_the_word and len(own) <= MOST_WORDS and not any(map(_DECISIVE.search, others))


def _another(beside: Sequence[int], best: Fingerprint, known: Sequence[Fingerprint]) -> tuple[str, ...]:
    """Licences of which a passage that the best one does not have stands beside it: those with the most of it."""
    left = frozenset(beside) - best.known
    shared = {one.licence: len(left & one.known) for one in known if one.licence != best.licence}
    most = max(shared.values(), default=0)
    return tuple(name for name, runs in shared.items() if runs >= max(PASSAGE, MOST_OF * most))


def _length(gaps: Sequence[range]) -> int:
    return sum(len(gap) for gap in gaps)


def _speaks_for(best: Fingerprint, rival: Fingerprint, here: frozenset[int]) -> bool:
    """Whether the text tells the two apart: by runs that only the best has, or because the rival's own are missing
    from a text that holds the best to its end."""
    own, others = here & (best.known - rival.known), here & (rival.known - best.known)
    if len(own) >= FOR and len(own) >= AGAINST * len(others):
        return True
    whole = len(here & best.known) >= WHOLE * len(best.known)
    return whole and not others and len(rival.known - best.known) >= FOR


@cache
def fingerprints() -> tuple[Fingerprint, ...]:
    """Those that come with the package."""
    rows = json.loads(files("steelyard.licences").joinpath("fingerprints.json").read_bytes())["fingerprints"]
    return tuple(fingerprint(row["licence"], row["source"], row["as_of"], unpacked(row["runs"])) for row in rows)


def fingerprint(licence: str, source: str, as_of: str, runs: Sequence[int]) -> Fingerprint:
    """The fingerprint of a text with these runs."""
    return Fingerprint(licence, source, as_of, tuple(runs), frozenset(runs))


def packed(runs: Sequence[int]) -> str:
    """Hashes as text, for the data file."""
    return base64.b85encode(array("I", runs).tobytes()).decode()


def unpacked(text: str) -> tuple[int, ...]:
    """The hashes again."""
    return tuple(array("I", base64.b85decode(text)))


def _hash(run: str) -> int:
    return int.from_bytes(blake2b(run.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little")
