"""Reports as files: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from steelyard.decision import Decision
from steelyard.files import write_whole
from steelyard.report.html import to_html
from steelyard.report.markdown import to_markdown
from steelyard.report.page import page

HTML_NAME, MARKDOWN_NAME = "report.html", "report.md"


def html(decision: Decision) -> str:
    """One self-contained HTML document."""
    return to_html(page(decision))


def markdown(decision: Decision) -> str:
    """The same page as Markdown."""
    return to_markdown(page(decision))


def write_report(decision: Decision, folder: Path) -> Path:
    """Write report.html and report.md into `folder` (made if missing); the path of the HTML file."""
    folder.mkdir(parents=True, exist_ok=True)
    made = page(decision)
    write_whole(folder / MARKDOWN_NAME, to_markdown(made).encode())
    path = folder / HTML_NAME
    write_whole(path, to_html(made).encode())
    return path
