"""The decision on a terminal: right at 80 columns, better at 120, a list where a table has no room.

Plain without colour or a TTY.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from steelyard.decision import Decision, Standing
from steelyard.report import numbers
from steelyard.report.blocks import Leaderboard, Line
from steelyard.report.certainty_sections import certain
from steelyard.report.leaderboard import leaderboard, measured
from steelyard.report.page import partial_notice, readable
from steelyard.stats import Estimate

NARROW, WIDE = 72, 110
STATUS_STYLES = {"allowed": "green", "conditional": "yellow", "forbidden": "red", "unknown": "dim"}


def print_summary(decision: Decision, console: Console) -> None:
    """Verdict, table, what was ruled out and why, what was not measured, doubts."""
    decision = readable(decision)
    if decision.question:
        console.print(Text(decision.question, style="dim"))
    console.print(Text(decision.verdict, style="bold"))
    limits = decision.standing(decision.winner).licence.thresholds if decision.winner else ()
    for item in (*decision.duties, *decision.questions, *(f"Licence limit: {limit.text}" for limit in limits)):
        console.print(_item(item))
    board = next(block for block in leaderboard(decision).blocks if isinstance(block, Leaderboard))
    if failed := [line for line in decision.standings if line.failed]:
        title = partial_notice(failed)
        _section(console, title, [(line.name, line.not_measured) for line in failed], style="bold red")
    wide = console.width >= WIDE
    if console.width < NARROW:
        for group in board.groups:
            _section(console, group.title, [(line.name, _told(line)) for line in group.lines])
    else:
        console.print(_table(board, wide))
    if not wide:
        _section(console, "Licences", _licences(_lines(board)))
    _section(console, "Ruled out", _ruled_out(decision))
    needs = {need.candidate: need.sentence for need in decision.would_need}
    absent = [line for line in decision.standings if line.not_measured]
    _section(console, "Not measured", [(line.name, _absence(line, needs.get(line.candidate, ""))) for line in absent])
    _section(console, "How sure", [("", said) for said in certain(decision)])
    _section(console, "Doubts", [("", doubt) for doubt in decision.doubts])


def provisional(decision: Decision) -> Table:
    """What is known so far, in a few columns: shown during the run and replaced by the next one."""
    decision = readable(decision)
    table = Table(box=SIMPLE_HEAD, title_justify="left", title=Text("So far; figures still move", style="dim"))
    table.add_column("Tier", no_wrap=True)
    table.add_column("Candidate", overflow="fold")
    table.add_column(Text(decision.metric.capitalize()), justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    done = measured(decision)
    for line in sorted(done, key=lambda line: line.tier or len(done) + 1):
        quality = line.quality
        n = f"{quality.n}" if isinstance(quality, Estimate) and quality.n is not None else ""
        table.add_row(f"{line.tier or ''}", Text(line.name), Text(numbers.with_interval(quality)), n)
    for line in decision.standings:
        if not isinstance(line.quality, Estimate):
            table.add_row("", Text(line.name, style="dim"), Text("not yet" if not line.not_measured else "none"), "")
    return table


def _table(board: Leaderboard, wide: bool) -> Table:
    """Two lines a candidate: value over interval, p50 over p95, per 1,000 over per month."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Tier", no_wrap=True)
    table.add_column("Candidate", overflow="fold", min_width=20, max_width=40 if wide else None)
    table.add_column(Text(f"{board.metric}\ninterval"), justify="right", overflow="fold")
    table.add_column("Latency\np50, p95", justify="right", overflow="fold")
    table.add_column("Per 1,000\nper month", justify="right", overflow="fold")
    table.add_column("Licence", overflow="fold", min_width=11)
    for group in board.groups:
        table.add_section()
        table.add_row("", Text(group.title, style="bold dim"))
        for line in group.lines:
            table.add_row(*_row(line, wide))
    return table


def _row(line: Line, wide: bool) -> tuple[Text, ...]:
    who = Text(line.name, style="bold" if line.label == "Recommended" else "")
    second = " · ".join(part for part in (line.id if line.id != line.name else "", line.label.lower()) if part)
    if second:
        who.append(f"\n{second}", style="dim")
    if line.barred:
        who.append(f"\n{line.barred}", style="red")
    licence = Text(line.licence.text, style=STATUS_STYLES[line.licence.status])
    if wide:
        licence.append(f"\n{line.licence.note}", style="default")
    quality, latency = "not\nmeasured", ""
    if line.quality is not None:
        quality = f"{line.quality_text}\n{line.interval_text.replace(' to ', '-')}"
        latency = f"{line.latency.note.removeprefix('p50 ')}\n{line.latency.text}"
    cost = line.cost.text
    if line.cost.note:
        cost = f"{line.cost.note.removesuffix(' per 1,000')}\n{cost}"
    return Text(line.tier.removeprefix("Tier ")), who, Text(quality), Text(latency), Text(cost), licence


def _told(line: Line) -> str:
    """The table's row in words, for a screen that has no room for a table."""
    if line.quality is None:
        parts = [line.quality_text]
    else:
        interval = f" ({line.interval_text})" if line.interval_text else ""
        parts = [line.tier, line.quality_text + interval, f"{line.latency.note}, p95 {line.latency.text}"]
    parts += [f"cost per month {line.cost.text}", line.barred, line.label]
    return "; ".join(part for part in parts if part)


def _licences(lines: list[Line]) -> list[tuple[str, str]]:
    """One item per distinct verdict: whom it concerns, the verdict with its reason."""
    whom: dict[str, list[str]] = {}
    for line in lines:
        whom.setdefault(f"{line.licence.text.lower()}, {line.licence.note}", []).append(line.name)
    return [(numbers.listing(names), said) for said, names in whom.items()]


def _lines(board: Leaderboard) -> list[Line]:
    return [line for group in board.groups for line in group.lines]


def _ruled_out(decision: Decision) -> list[tuple[str, str]]:
    return [
        (f"{line.name}, by {gate.name}", gate.detail)
        for line in decision.standings
        for gate in line.ruled_out_by
        if gate.outcome == "failed" or not line.not_measured
    ]


def _absence(line: Standing, sentence: str) -> str:
    return f"{line.not_measured}. {sentence}".rstrip()


def _section(console: Console, title: str, items: list[tuple[str, str]], style: str = "bold") -> None:
    if not items:
        return
    console.print(Text(title, style=style))
    for name, text in items:
        console.print(_item(text, name))
    console.print()


def _item(text: str, name: str = "") -> Padding:
    line = Text()
    if name:
        line.append(f"{name}: ", style="bold")
    line.append(text)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("-", line)
    return Padding(grid, (0, 0, 0, 2))
