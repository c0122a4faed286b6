"""How far the figures carry: against the best on these samples and on traffic like them, and slice by slice."""

from __future__ import annotations

from steelyard.decision import Decision
from steelyard.decision.certainty import Against, Certainty, SliceFigure
from steelyard.decision.sentences import points
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Block, Bullets, Cell, Section, Table
from steelyard.report.numbers import count
from steelyard.stats import Estimate, Estimated
from steelyard.visible import visible

LONGEST_PART = 60  # characters
MOST_COLUMNS = 4
"""So many candidates stand beside each other in a table of slices."""

METRIC_NAMES = {"macro_f1": "Macro-F1", "micro_f1": "Micro-F1", "balanced_accuracy": "Balanced accuracy"}


def certain(decision: Decision) -> tuple[str, ...]:
    """The sentences; none where the decision was made before they were worked out."""
    return () if isinstance(decision.certainty, Unknown) else decision.certainty.sentences


def good_enough(decision: Decision) -> Section | None:
    """The others against the best: what is known of these samples, what of traffic like them."""
    known = decision.certainty
    if isinstance(known, Unknown) or not known.against:
        return None
    names = {line.candidate: line.name for line in decision.standings}
    rows = tuple(
        (
            Cell(names[one.candidate], note="costs less" if one.cheaper else ""),
            _difference(one.items),
            _difference(one.traffic),
            *(() if isinstance(known.margin, Unknown) else (Cell(_within(one, known.margin)),)),
        )
        for one in known.against
    )
    head: tuple[str, ...] = ("Candidate", f"On these {count(decision.data.n_test, 'sample')}", "On traffic like this")
    lead = (
        f"{names[known.best]} was right most often. What was answered on these samples is known; what it says about "
        "traffic like them has an interval."
    )
    if isinstance(known.margin, float):
        head = (*head, "Within the margin")
        lead += f" The study takes less than {points(known.margin)} points below the best for good enough."
    table = Table(f"Each less {names[known.best]}", head, rows)
    return Section("good-enough", "These samples, and traffic like them", lead, (table,))


def other_metrics(decision: Decision) -> Section | None:
    """Metrics of all answers together, where the study names some."""
    known = decision.certainty
    if isinstance(known, Unknown) or not known.corpus:
        return None
    names = {line.candidate: line.name for line in decision.standings}
    rows = tuple(
        (
            Cell(METRIC_NAMES.get(one.metric, one.metric)),
            Cell(names[one.candidate]),
            Cell(numbers.value(one.value), note=numbers.interval(one.value) or _no_interval(one.value), numeric=True),
            *(
                (Cell(""), Cell(""))
                if isinstance(one.less_best, Unknown)
                else (_difference(one.less_best), Cell(numbers.p_value(one.p_adjusted), numeric=True))
            ),
        )
        for one in known.corpus
    )
    head = ("Metric", "Candidate", "Value", f"Less {names[known.best]}", "p, Holm")
    lead = "Metrics of all answers together. They choose nobody: gates and preference rest on the study's own metric."
    return Section("metrics", "Other metrics", lead, (Table("By resampling the test samples", head, rows),))


def _no_interval(estimate: Estimated) -> str:
    if isinstance(estimate, Unknown):
        return estimate.reason
    return estimate.interval.reason if isinstance(estimate.interval, Unknown) else ""


def slices(decision: Decision) -> Section | None:
    """Each slice's figure, drawn towards the whole as far as its few samples demand."""
    known = decision.certainty
    if isinstance(known, Unknown) or not known.slices:
        return None
    columns = tuple(dict.fromkeys(one.column for one in known.slices))
    blocks: list[Block] = [Bullets(known.slice_warnings)]
    blocks += [_slice_table(decision, known, column) for column in columns]
    lead = (
        "Every figure is drawn towards the candidate's own mean: the fewer samples, the further. Beside it stands the "
        "share of right answers on the samples of the slice alone."
    )
    return Section("slices", "Slice by slice", lead, tuple(blocks))


def _slice_table(decision: Decision, known: Certainty, column: str) -> Table:
    names = {line.candidate: line.name for line in decision.standings}
    figures = [one for one in known.slices if one.column == column]
    shown = list(dict.fromkeys(one.candidate for one in figures))[:MOST_COLUMNS]
    parts = list(dict.fromkeys(one.part for one in figures))
    by_place = {(one.part, one.candidate): one for one in figures}
    rows = tuple(
        (
            Cell(visible(part, LONGEST_PART)),
            Cell(f"{max(one.n for one in figures if one.part == part):,}", numeric=True),
            *(_slice_cell(by_place.get((part, name))) for name in shown),
        )
        for part in parts
    )
    return Table(f"By {column}", (column, "Samples", *(names[name] for name in shown)), rows)


def _slice_cell(one: SliceFigure | None) -> Cell:
    if one is None:
        return Cell("")
    out = "; stands out" if one.stands_out else "; few samples" if one.small else ""
    return Cell(numbers.with_interval(one.shrunk), note=f"alone {numbers.value(one.raw)}{out}", numeric=True)


def _difference(estimate: Estimate) -> Cell:
    interval = estimate.interval
    if isinstance(interval, Unknown):
        return Cell(numbers.points(estimate.value), note=interval.reason, numeric=True)
    if interval.low == interval.high:
        return Cell(numbers.points(estimate.value), note="all answered", numeric=True)
    low, high = (points(end, signed=True) for end in (interval.low, interval.high))
    return Cell(numbers.points(estimate.value), note=f"{low} to {high}", numeric=True)


def _within(one: Against, margin: float) -> str:
    if one.within_traffic is True:
        return "yes"
    if one.within_items is True:
        return "on these samples only"
    interval = one.traffic.interval
    return "no" if not isinstance(interval, Unknown) and interval.high < -margin else "not shown"
