"""What a page is made of, as data: HTML and Markdown are two ways to write the same blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from steelyard.stats import Estimate

WORDY = 50  # characters

Mark: TypeAlias = Literal["open", "proprietary", "baseline"]


@dataclass(frozen=True)
class Cell:
    """One cell. `note` stands smaller beside it; `status` makes it a badge; `numeric` aligns it to the right.

    `more` are further sentences, each on a line of its own.
    """

    text: str
    note: str = ""
    numeric: bool = False
    status: str = ""
    link: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A plain table; `caption` is a sentence, `numeric` columns are those whose head is aligned right."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def wordy(self) -> bool:
        """Holds sentences: on a narrow screen its rows read better as cards than as columns."""
        return any(len(cell.text) > WORDY or cell.more for row in self.rows for cell in row)


@dataclass(frozen=True)
class Text:
    """Sentences of one paragraph each."""

    kind: ClassVar[str] = "text"
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A term and what is to be said about it."""

    term: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Terms with their texts."""

    kind: ClassVar[str] = "facts"
    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Line:
    """One candidate on the leaderboard. `label` is its role ("Recommended"), `barred` what rules it out.

    `first` marks the first line of its tier.
    """

    anchor: str
    tier: str
    first: bool
    name: str
    id: str
    mark: Mark
    settings: str
    label: str
    barred: str
    quality: Estimate | None
    quality_text: str
    interval_text: str
    latency: Cell
    cost: Cell
    licence: Cell


@dataclass(frozen=True)
class Group:
    """Lines that belong together: the baselines, the language models in tiers, those not measured."""

    title: str
    sentence: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All candidates in groups. `domain` is the axis of the dots (low, high)."""

    kind: ClassVar[str] = "leaderboard"
    caption: str
    metric: str
    domain: tuple[float, float]
    domain_text: str
    groups: tuple[Group, ...]
    footnotes: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """One candidate on the scatter: cost in US dollars per 1,000 requests against quality."""

    anchor: str
    name: str
    mark: Mark
    usd: float
    quality: Estimate
    text: str
    winner: bool = False


@dataclass(frozen=True)
class Scatter:
    """Quality against cost, the figures behind it, and who is missing and why."""

    kind: ClassVar[str] = "scatter"
    title: str
    description: str
    metric: str
    points: tuple[Point, ...]
    table: Table
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """One plan's line; `low` and `high` are the edges of its band, () for none. Points are (x, USD)."""

    name: str
    points: tuple[tuple[float, float], ...]
    low: tuple[tuple[float, float], ...] = ()
    high: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Curves:
    """Costs over volume (`log`: both axes) or over months; `marks` are where the cheapest changes."""

    kind: ClassVar[str] = "curves"
    title: str
    description: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    marks: tuple[float, ...]
    table: Table
    log: bool = False


@dataclass(frozen=True)
class Swing:
    """One input: the lead at both ends of its range; `turns` when another plan is the cheapest at one of them."""

    name: str
    low: float
    high: float
    turns: bool


@dataclass(frozen=True)
class Tornado:
    """Inputs by how far they move the lead in USD; left of zero another plan wins."""

    kind: ClassVar[str] = "tornado"
    title: str
    description: str
    base: float
    swings: tuple[Swing, ...]
    table: Table


Block: TypeAlias = Table | Text | Bullets | Facts | Leaderboard | Scatter | Curves | Tornado


@dataclass(frozen=True)
class Section:
    """A heading, a leading sentence and blocks. `half`: two of them may stand side by side."""

    id: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
    half: bool = False


@dataclass(frozen=True)
class Headline:
    """One of the three figures beside the verdict."""

    label: str
    text: str
    note: str


@dataclass(frozen=True)
class Page:
    """The whole report. `verdict` is the first sentence of the decision's, `details` the rest of it."""

    title: str
    subtitle: str
    study: str
    notice: str
    verdict: str
    details: str
    headlines: tuple[Headline, ...]
    reasons: tuple[str, ...]
    strings_title: str
    strings: tuple[str, ...]
    sections: tuple[Section, ...]
    colophon: str
