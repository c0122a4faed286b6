"""The leaderboard in tiers, and quality against cost."""

from __future__ import annotations

import math
from collections.abc import Iterable

from steelyard.decision import Decision, Standing
from steelyard.decision.sentences import usd
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Cell, Group, Leaderboard, Line, Mark, Point, Scatter, Section, Table
from steelyard.report.numbers import count, listing
from steelyard.stats import Estimate, Estimated

STATUS = {"allowed": "Allowed", "conditional": "Conditional", "forbidden": "Forbidden", "unknown": "Unknown"}


def anchor(decision: Decision, line: Standing) -> str:
    """The id of a candidate's row: ids of candidates may hold any character, so rows are counted."""
    return f"row-{[other.candidate for other in decision.standings].index(line.candidate) + 1}"


def measured(decision: Decision) -> list[Standing]:
    """Those with a quality, best first."""
    lines = [line for line in decision.standings if isinstance(line.quality, Estimate)]
    return sorted(lines, key=lambda line: -_known(line.quality))


def leaderboard(decision: Decision) -> Section:
    """All candidates: tiers of language models, baselines apart, then those without a measurement."""
    lines = measured(decision)
    span = numbers.level(lines[0].quality) if lines else ""
    lead = (
        f"Candidates in one tier cannot be told apart on these {count(decision.data.n_test, 'sample')}. "
        f"Bars show the {span} interval."
        if span
        else "Nothing has been measured yet; what is known of each candidate stands below."
    )
    low, high = domain([line.quality for line in lines])
    board = Leaderboard(
        caption=f"Candidates by {decision.metric}, with latency, cost and licence",
        metric=decision.metric.capitalize(),
        domain=(low, high),
        domain_text=f"{numbers.figure(low, _unit(lines))} to {numbers.figure(high, _unit(lines))}".replace(
            ".0 %", " %"
        ),
        groups=_groups(decision, lines),
        footnotes=_footnotes(decision.standings),
    )
    return Section("leaderboard", "Leaderboard", lead, (board,))


def domain(qualities: Iterable[Estimated]) -> tuple[float, float]:
    """An axis that holds every interval, on whole steps of five points and inside 0 to 1 for shares."""
    ends: list[float] = []
    share = True
    for quality in qualities:
        if isinstance(quality, Estimate):
            ends.append(quality.value)
            share = share and quality.unit == "share"
            if not isinstance(quality.interval, Unknown):
                ends += [quality.interval.low, quality.interval.high]
    if not ends:
        return 0.0, 1.0
    if not share:
        room = (max(ends) - min(ends)) * 0.05 or 1.0
        return min(ends) - room, max(ends) + room
    low, high = math.floor(min(ends) * 20 - 0.2) / 20, math.ceil(max(ends) * 20 + 0.2) / 20
    return max(0.0, low), min(1.0, high)


def _groups(decision: Decision, lines: list[Standing]) -> tuple[Group, ...]:
    """Baselines apart: first where one of them is recommended, else after the language models."""
    lines = sorted(lines, key=lambda line: line.tier or len(lines) + 1)
    baselines = [line for line in lines if not line.is_language_model]
    models = [line for line in lines if line.is_language_model]
    groups = []
    if models:
        groups.append(_group(decision, "Language models", "", models))
    if baselines:
        title = "Baseline" if len(baselines) == 1 else "Baselines"
        group = _group(decision, title, "not a language model; the bar to beat", baselines)
        leads = any(line.candidate == decision.winner for line in baselines)
        groups.insert(0 if leads else len(groups), group)
    rest = [line for line in decision.standings if isinstance(line.quality, Unknown)]
    if rest:
        groups.append(_group(decision, "Not measured", "priced and licence-checked where that is possible", rest))
    return tuple(groups)


def _group(decision: Decision, title: str, sentence: str, lines: list[Standing]) -> Group:
    made = []
    for index, line in enumerate(lines):
        first = line.tier is None or index == 0 or lines[index - 1].tier != line.tier
        made.append(_line(decision, line, first))
    return Group(title, sentence, tuple(made))


def _mark(line: Standing) -> Mark:
    """Nobody says that its weights are open: shown like those that are not."""
    return "proprietary" if line.openness == "unknown" else line.openness


def _line(decision: Decision, line: Standing, first: bool) -> Line:
    cost = line.cost
    p50 = numbers.value(line.latency_p50)
    return Line(
        anchor=anchor(decision, line),
        tier=f"Tier {line.tier}" if line.tier is not None else "",
        first=first,
        name=line.name,
        id=line.candidate,
        mark=_mark(line),
        settings=line.settings,
        label=_label(decision, line),
        barred=barred(line),
        quality=line.quality if isinstance(line.quality, Estimate) else None,
        quality_text=numbers.value(line.quality)
        if isinstance(line.quality, Estimate)
        else f"not measured: {line.not_measured}",
        interval_text=numbers.interval(line.quality).removesuffix(" %"),
        latency=Cell(numbers.value(line.latency_p95), note=f"p50 {p50}", numeric=True),
        cost=Cell(numbers.UNKNOWN, numeric=True)
        if isinstance(cost, Unknown)
        else Cell(numbers.value(cost.per_month), note=f"{numbers.value(cost.per_1000)} per 1,000", numeric=True),
        licence=Cell(STATUS[line.licence.status], note=line.licence.headline, status=line.licence.status),
    )


def _label(decision: Decision, line: Standing) -> str:
    if line.candidate == decision.winner:
        return "Recommended"
    if line.candidate == decision.best_language_model:
        return "Best language model"
    return "Tied" if line.candidate in decision.ties else ""


def barred(line: Standing) -> str:
    """Which gates rule a candidate out, in words; gates that nothing could test do not count when unmeasured."""
    gates = [gate for gate in line.ruled_out_by if gate.outcome == "failed" or not line.not_measured]
    return f"ruled out: {listing([gate.name for gate in gates])}" if gates else ""


def _footnotes(lines: tuple[Standing, ...]) -> tuple[str, ...]:
    """Why something is unknown: one sentence a reason, with all whom it concerns."""
    why: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        cost = line.cost
        parts: list[tuple[str, Estimated]] = [("Latency", line.latency_p95)]
        if isinstance(cost, Unknown):
            parts.append(("Cost", cost))
        else:
            parts.append(("Cost", cost.per_month))
        for what, estimate in parts:
            reason = numbers.why_unknown(estimate)
            if reason and reason != line.not_measured:
                why.setdefault((what, reason), []).append(line.name)
    return tuple(f"{what} unknown for {listing(names)}: {reason}." for (what, reason), names in why.items())


def trade_off(decision: Decision) -> Section | None:
    """Quality against cost per 1,000 requests, for all with both figures."""
    points: list[Point] = []
    missing: dict[str, list[str]] = {}
    for line in decision.standings:
        spent = line.cost if isinstance(line.cost, Unknown) else line.cost.per_1000
        if isinstance(line.quality, Unknown):
            missing.setdefault(line.not_measured or line.quality.reason, []).append(line.name)
        elif isinstance(spent, Unknown):
            missing.setdefault(spent.reason, []).append(line.name)
        else:
            text = f"{line.name}: {numbers.with_interval(line.quality)} at {usd(spent.value)} per 1,000 requests"
            points.append(
                Point(
                    anchor(decision, line),
                    line.name,
                    _mark(line),
                    spent.value,
                    line.quality,
                    text,
                    line.candidate == decision.winner,
                )
            )
    if not points:
        return None
    points.sort(key=lambda point: (-point.quality.value, point.usd))
    cheapest = min(points, key=lambda point: (point.usd, -point.quality.value))
    description = (
        f"Best: {points[0].text}. "
        + (f"Cheapest: {cheapest.text}. " if cheapest is not points[0] else "It is also the cheapest. ")
        + "No candidate is both cheaper and better than one on the dashed line."
    )
    rows = tuple(
        (
            Cell(f"{number}", numeric=True),
            Cell(point.name, link=point.anchor),
            Cell(numbers.with_interval(point.quality), numeric=True),
            Cell(usd(point.usd), numeric=True),
        )
        for number, point in enumerate(points, 1)
    )
    table = Table(
        "The figures of this chart", ("No.", "Candidate", decision.metric.capitalize(), "Per 1,000 requests"), rows
    )
    absent = tuple(f"{listing(names)}: {reason}" for reason, names in missing.items())
    title = f"{decision.metric.capitalize()} against cost"
    chart = Scatter(title, description, decision.metric.capitalize(), tuple(points), table, absent)
    return Section("trade-off", title, description, (chart,))


def _known(estimate: Estimated) -> float:
    return estimate.value if isinstance(estimate, Estimate) else -math.inf


def _unit(lines: list[Standing]) -> str:
    first = lines[0].quality if lines else None
    return first.unit if isinstance(first, Estimate) else "share"
