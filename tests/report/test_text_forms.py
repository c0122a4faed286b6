"""Markdown, terminal and files."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from tests.decision.samples import sample_decision
from tests.report.variations import crowd, hostile, nobody_passed, nothing_measured, without_interval

from steelyard.decision import Decision
from steelyard.errors import NotWritable
from steelyard.licences import Reason, Threshold, Verdict
from steelyard.report.markdown import to_markdown
from steelyard.report.page import page
from steelyard.report.render import write_report
from steelyard.report.terminal import print_summary, provisional


def printed(decision: Decision, width: int, **options: bool) -> str:
    out = io.StringIO()
    print_summary(decision, Console(file=out, width=width, **options))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("decision", [sample_decision(), hostile(), crowd(), nobody_passed(), nothing_measured()])
def test_no_line_is_wider_than_the_terminal(decision: Decision, width: int) -> None:
    assert all(cell_len(line) <= width for line in printed(decision, width).splitlines())


@pytest.mark.parametrize("width", [80, 120])
def test_the_summary_says_who_how_good_how_dear_and_what_is_allowed(width: int) -> None:
    text = printed(sample_decision(), width)
    said = " ".join(text.split())
    assert said.startswith("Which model should sort our support inbox? Take linear (TF-IDF + linear model): 71.2 %")
    row = next(line for line in text.splitlines() if line.strip().startswith("1 ") and "TF-IDF" in line)
    assert "71.2 %" in row and "1.1 ms" in row and "$0.12" in row and "Allowed" in row
    for part in ("65.2-76.6", "1.9 ms", "$70", "Baseline", "Language models", "Not measured", "Gemma terms §3.2"):
        assert part in said
    assert "Gemma 3 270M (base), by quality: 47.1 % right" in said
    assert "Codestral 22B, by licence: Forbidden: only for research" in said
    assert "192 of 240 right (80.0 %)" in said
    assert "Too close to call" in said


def test_without_a_terminal_there_is_no_escape() -> None:
    assert "\x1b" not in printed(sample_decision(), 80)


def test_no_color_leaves_no_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(sample_decision(), 80, force_terminal=True)
    assert "\x1b[32m" not in text and "\x1b[31m" not in text


def test_escapes_in_names_never_reach_the_terminal() -> None:
    text = printed(hostile(), 120)
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "\\x1b[31m" in text


def test_square_brackets_in_names_are_not_markup() -> None:
    decision = sample_decision()
    line = replace(decision.standings[0], name="[bold]model[/bold]")
    assert "[bold]model[/bold]" in printed(replace(decision, standings=(line,)), 120)


def test_the_provisional_table_shows_tiers_and_who_is_still_open() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(provisional(replace(sample_decision(), provisional=True)))
    text = out.getvalue()
    assert "71.2 % (65.2-76.6)   240" in text and "GPT-5 mini" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_value_without_interval_or_cost_is_shown_as_unknown_with_its_reason() -> None:
    decision = sample_decision()
    lines = (without_interval(decision.standings[0]), *decision.standings[1:])
    text = to_markdown(page(replace(decision, standings=lines)))
    assert "Cost unknown for TF-IDF + linear model: no price is known." in text
    assert "Latency unknown for TF-IDF + linear model: not timed." in text


def test_markdown_holds_the_same_facts_as_the_page() -> None:
    decision = sample_decision()
    text = to_markdown(page(decision))
    assert text.startswith("# Which model should sort our support inbox?\n")
    assert "- Accuracy: **71.2 %** (65.2 to 76.6 % (95 % interval))" in text
    for section in page(decision).sections:
        assert f"\n## {section.title}\n" in text
    for sentence in (*decision.doubts, *decision.recheck_when):
        assert sentence in text


def test_markdown_tables_have_one_width_each() -> None:
    rows = to_markdown(page(hostile())).splitlines()
    table: list[int] = []
    for line in rows:
        bars = line.replace("\\|", "").count("|")
        if line.startswith("|"):
            table.append(bars)
        else:
            assert len(set(table)) <= 1, table
            table = []
    assert "<script>" not in "\n".join(rows).replace("\\<script", "")


def test_files_appear_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / ".steelyard"
    path = write_report(sample_decision(), folder)
    assert path == folder / "report.html"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md"]
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(sample_decision(), tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def broken(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(NotWritable, match="disk full"):
        write_report(nobody_passed(), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_terms_that_nobody_read_were_looked_up_and_a_version_in_the_name_is_not_said_again() -> None:
    decision = sample_decision()
    unread = Verdict(
        "unknown",
        (Reason("unknown", "", "not read here", "API terms"),),
        not_read=("API terms",),
        licence_name="API terms",
        source="https://terms.example",
        as_of="2026-11-24",
    )
    apache = replace(unread, licence_name="Licence 2.0", revision="2.0", not_read=())
    apache = replace(apache, status="allowed", reasons=(Reason("allowed", "§2", "grants use", "Licence 2.0"),))
    lines = [replace(decision.standings[0], licence=unread), replace(decision.standings[1], licence=apache)]
    text = to_markdown(page(replace(decision, standings=(*lines, *decision.standings[2:]))))
    assert "API terms (https://terms.example, looked up on 2026-11-24, not read)" in text
    assert "Licence 2.0 (https://terms.example, read on 2026-11-24)" in text
    assert "Gemma Terms of Use (revision 2025-03-24, https://ai.google.dev/gemma/terms, read on 2026-10-01)" in text


def test_limits_of_a_licence_stand_beside_the_duties_with_what_is_left() -> None:
    decision = sample_decision()
    text = "revenue of the group: limit 20, 5 leaves 15 (75%)"
    limit = Threshold(text, "Terms", "§2", "forbidden", "revenue of the group", 20, 5, 15)
    lines = tuple(
        replace(line, licence=replace(line.licence, thresholds=(limit,))) if line.candidate == decision.winner else line
        for line in decision.standings
    )
    limited = replace(decision, standings=lines)
    assert f"Limit: {text} (Terms §2)." in to_markdown(page(limited))
    assert f"Licence limit: {text}" in " ".join(printed(limited, 80).split())
    assert "Limit: " not in to_markdown(page(decision))


def test_an_unmeasured_candidate_with_open_terms_can_change_the_picture_only_if_they_allow_the_use() -> None:
    decision = sample_decision()
    lines = []
    for line in decision.standings:
        if line.candidate == "openai:gpt-5-mini":
            gates = tuple(replace(g, outcome="unknown") if g.name == "licence" else g for g in line.gates)
            line = replace(line, gates=gates)
        lines.append(line)
    text = to_markdown(page(replace(decision, standings=tuple(lines))))
    assert "GPT-5 mini, if it reaches 80.0 % or more and if its terms allow the use." in text
    assert "GPT-5 nano, if it reaches 80.0 % or more.\n" in text
    assert "change the picture; first it must be settled that the terms of GPT-5 mini allow the use." in text


def test_requirements_are_told_apart() -> None:
    text = to_markdown(page(sample_decision()))
    assert "accuracy \\>= 0.60; latency_p95 \\<= 800 ms; cost_per_month \\<= 3000 USD" in text


def test_a_candidate_that_failed_in_the_run_is_told_above_the_table_and_a_missing_key_is_not() -> None:
    decision = sample_decision()
    said = " ".join(printed(decision, 120).split())
    assert "could not be measured" not in said
    lines = tuple(
        replace(line, not_measured="every call failed: auth", failed=True) if line.name == "GPT-5 nano" else line
        for line in decision.standings
    )
    said = " ".join(printed(replace(decision, standings=lines), 120).split())
    note = "Partial result: 1 candidate could not be measured - GPT-5 nano: every call failed: auth"
    assert 0 < said.find(note) < said.find("Baseline")
    assert page(replace(decision, standings=lines)).notice == (
        "Partial result: 1 candidate could not be measured (GPT-5 nano), see below."
    )
