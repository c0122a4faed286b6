"""Where the labels of a chart go: beside their points while there is room, else in a column with leader lines.

Text widths are estimated on the high side, because the reader's font is not known here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

LINE_HEIGHT = 1.35  # of the font size: ascent, descent and air
_WIDE = frozenset("MWmw@%&—…")


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def inside(self, frame: Box) -> bool:
        """Whether no part leaves the frame."""
        return (
            self.left >= frame.left
            and self.right <= frame.right
            and self.top >= frame.top
            and self.bottom <= frame.bottom
        )


@dataclass(frozen=True)
class Label:
    """A text in its box, set from the side that faces its point (`start` = left, `end` = right).

    `leader` joins point and label where they are apart (x1, y1, x2, y2).
    """

    text: str
    box: Box
    side: Literal["start", "middle", "end"] = "start"
    leader: tuple[float, float, float, float] | None = None


def text_width(text: str, size: float) -> float:
    """An upper estimate of a text's width in a semi-bold system font of `size` pixels.

    >>> text_width("", 12.0), text_width("il", 10.0) <= text_width("WW", 10.0) <= text_width("漢字", 10.0)
    (0.0, True)
    """
    return sum(_em(character) for character in text) * size


def shortened(text: str, size: float, room: float) -> str:
    """The text, its middle cut out where it would be wider than `room`: names often differ at their ends.

    >>> shortened("gemma-3-270m", 12.0, 500.0), shortened("smollm2-135m-instruct+head", 12.0, 100.0)
    ('gemma-3-270m', 'smollm2…head')
    """
    if text_width(text, size) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        tail = kept * 2 // 5
        cut = f"{text[: kept - tail]}…{text[len(text) - tail :]}"
        if text_width(cut, size) <= room:
            return cut
    return "…"


def beside(
    points: Sequence[tuple[float, float]], texts: Sequence[str], size: float, frame: Box, stems: Sequence[Box]
) -> tuple[Label, ...] | None:
    """Each text next to its point, clear of all points and of one another; None where that fails.

    A place clear of `stems` (the bars of the intervals) is taken if there is one. The most crowded points
    choose first. Order of the answer is the order of the points.
    """
    radius = size * 0.6
    busy = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    placed: dict[int, Label] = {}

    def free(box: Box, obstacles: Iterable[Box]) -> bool:
        return box.inside(frame) and not any(box.overlaps(other) for other in obstacles)

    for index in sorted(range(len(points)), key=lambda i: -_crowd(points, i, size)):
        labels = list(_positions(points[index], texts[index], size))
        clear = (label for label in labels if free(label.box, (*busy, *stems)))
        label = next(clear, None) or next((label for label in labels if free(label.box, busy)), None)
        if label is None:
            return None
        placed[index] = label
        busy.append(label.box)
    return tuple(placed[index] for index in range(len(points)))


def column(points: Sequence[tuple[float, float]], texts: Sequence[str], size: float, frame: Box) -> tuple[Label, ...]:
    """All texts below one another from the left edge of `frame`, in the points' order of height, with leader lines.

    The frame must be at least `column_height` tall; texts wider than the frame are cut.
    """
    step = size * LINE_HEIGHT
    order = sorted(range(len(points)), key=lambda i: (points[i][1], points[i][0]))
    tops: list[float] = []
    for index in order:
        wanted = points[index][1] - step / 2
        tops.append(max(wanted, tops[-1] + step if tops else frame.top))
    limit = frame.bottom - step
    for place in reversed(range(len(tops))):
        tops[place] = min(tops[place], limit)
        limit = tops[place] - step
    labels: dict[int, Label] = {}
    for index, top in zip(order, tops, strict=True):
        text = shortened(texts[index], size, frame.right - frame.left)
        box = Box(frame.left, top, frame.left + text_width(text, size), top + step)
        x, y = points[index]
        labels[index] = Label(text, box, "start", (x, y, frame.left - 4, top + step / 2))
    return tuple(labels[index] for index in range(len(points)))


def column_height(count: int, size: float) -> float:
    """How tall a column of labels is."""
    return count * size * LINE_HEIGHT


def _positions(point: tuple[float, float], text: str, size: float) -> Iterator[Label]:
    x, y = point
    width, height = text_width(text, size), size * LINE_HEIGHT
    gap = size * 0.85
    near, far = x + gap * 0.6, x - gap * 0.6
    above, below = y - height - gap * 0.5, y + gap * 0.5
    sides: tuple[tuple[Literal["start", "middle", "end"], float, float], ...] = (
        ("start", x + gap, y - height / 2),
        ("end", x - gap, y - height / 2),
        ("start", near, above),
        ("start", near, below),
        ("end", far, above),
        ("end", far, below),
        ("middle", x, y - height - gap),
        ("middle", x, y + gap),
    )
    for side, at, top in sides:
        left = at - {"start": 0.0, "middle": width / 2, "end": width}[side]
        yield Label(text, Box(left, top, left + width, top + height), side)
    for reach in (1.6, 2.4, 3.2, 4.0, 5.0):
        for direction in (-1, 1):
            middle = y + direction * reach * height
            top = middle - height / 2
            yield Label(
                text,
                Box(x + gap * 1.6, top, x + gap * 1.6 + width, top + height),
                "start",
                (x, y, x + gap * 1.4, middle),
            )
            yield Label(
                text, Box(x - gap * 1.6 - width, top, x - gap * 1.6, top + height), "end", (x, y, x - gap * 1.4, middle)
            )


def _crowd(points: Sequence[tuple[float, float]], index: int, size: float) -> int:
    x, y = points[index]
    return sum(abs(a - x) < size * 12 and abs(b - y) < size * 2.5 for a, b in points)


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.1
    if unicodedata.combining(character):
        return 0.0
    if character in _WIDE:
        return 0.98
    if character in "iljt.,:;'|! ()[]-/":
        return 0.42
    return 0.72 if character.isupper() or not character.isascii() else 0.6
