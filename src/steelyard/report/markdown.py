"""Page -> Markdown: the same blocks as text, for a pull request or a wiki."""

from __future__ import annotations

import re

from steelyard.report.blocks import (
    Block,
    Bullets,
    Cell,
    Curves,
    Facts,
    Leaderboard,
    Page,
    Scatter,
    Section,
    Table,
    Text,
    Tornado,
)

_SPECIAL = re.compile(r"([\\`*\[\]<>|~$&])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LEADING = re.compile(r"^([#=]|-(?=[- ]|$)|\+(?= |$)|\d+(?=[.)](?: |$)))")


def to_markdown(page: Page) -> str:
    """The whole document, ending in a newline."""
    parts = [f"# {escaped(page.title)}", escaped(page.subtitle)]
    if page.notice:
        parts.append(f"**{escaped(page.notice)}**")
    parts.append(f"**{escaped(page.verdict)}**" + (f" {escaped(page.details)}" if page.details else ""))
    figures = [f"{escaped(one.label)}: **{escaped(one.text)}** ({escaped(one.note)})" for one in page.headlines]
    parts.append(_list(figures))
    if page.reasons:
        parts += ["**Why**", _list([escaped(item) for item in page.reasons])]
    parts += [f"**{escaped(page.strings_title)}**", _list([escaped(item) for item in page.strings])]
    parts += [_section(section) for section in page.sections]
    parts.append(escaped(page.colophon))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Text that Markdown shows as it is.

    >>> escaped("<b>|a_b _c_"), escaped("# one"), escaped("1. one")
    ('\\<b\\>\\|a_b \\_c\\_', '\\# one', '1\\. one')
    """
    text = _SPECIAL.sub(lambda match: "\\" + match.group(0), text)
    return _LEADING.sub(
        lambda match: match.group(0) + "\\" if match.group(0).isdigit() else "\\" + match.group(0), text
    )


def _section(section: Section) -> str:
    parts = [f"## {escaped(section.title)}"]
    if section.lead:
        parts.append(escaped(section.lead))
    return "\n\n".join([*parts, *(_block(block) for block in section.blocks)])


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return "\n\n".join(escaped(sentence) for sentence in block.sentences)
    if isinstance(block, Bullets):
        return _list([escaped(item) for item in block.items])
    if isinstance(block, Facts):
        return _list([f"**{escaped(fact.term)}**: {escaped(' '.join(fact.texts))}" for fact in block.items])
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Curves | Tornado):
        return _table(block.table)
    if isinstance(block, Scatter):
        missing = [f"Not drawn. {escaped(who)}." for who in block.missing]
        return "\n\n".join([_table(block.table), *missing])
    return _leaderboard(block)


def _leaderboard(board: Leaderboard) -> str:
    head = ("Tier", "Candidate", board.metric, "Latency p95", "Cost per month", "Licence")
    rows = []
    for group in board.groups:
        for line in group.lines:
            remark = "; ".join(part for part in (line.id, line.settings, line.label, line.barred) if part)
            quality = f"{line.quality_text} ({line.interval_text})" if line.interval_text else line.quality_text
            rows.append(
                (
                    Cell(line.tier or group.title),
                    Cell(line.name, note=f"{remark}, {group.title.lower()}" if line.mark == "baseline" else remark),
                    Cell(quality, numeric=True),
                    line.latency if line.quality else Cell("", numeric=True),
                    line.cost,
                    line.licence,
                )
            )
    notes = [escaped(note) for note in board.footnotes]
    return "\n\n".join([_table(Table(board.caption, head, tuple(rows))), *notes])


def _table(table: Table) -> str:
    numeric = [cell.numeric for cell in table.rows[0]] if table.rows else [False] * len(table.head)
    lines = [
        "| " + " | ".join(escaped(head) for head in table.head) + " |",
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
    ]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table.rows]
    return f"{escaped(table.caption)}\n\n" + "\n".join(lines)


def _cell(cell: Cell) -> str:
    note = f" ({escaped(cell.note)})" if cell.note else ""
    return "<br>".join(escaped(text) for text in (cell.text, *cell.more)) + note


def _list(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
