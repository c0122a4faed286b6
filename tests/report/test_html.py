"""The HTML report: whole, offline, safe, and true to the decision."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tests.decision.samples import sample_decision
from tests.report.variations import crowd, hostile, nobody_passed, nothing_measured

from steelyard.decision import Decision
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.html import to_html
from steelyard.report.page import page
from steelyard.stats import Estimate

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Tags in order, attributes, and the text of the body; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def sample() -> tuple[Decision, str, Reader]:
    decision = sample_decision()
    text = to_html(page(decision))
    return decision, text, Reader(text)


def test_every_tag_closes_and_headings_do_not_skip_a_level(sample) -> None:
    reader = sample[2]
    assert not reader.open
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_link_inside_the_page_has_its_target(sample) -> None:
    reader = sample[2]
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(attributes["href"]) for attributes in reader.all("a")]
    assert len(targets) > 20
    assert all(target.startswith("#") and target[1:] in ids for target in targets)
    for _, attributes in reader.tags:
        for label in str(attributes.get("aria-labelledby", "")).split():
            assert label in ids


def test_nothing_is_requested_from_anywhere(sample) -> None:
    _, text, reader = sample
    assert {"script", "link", "img", "iframe", "image", "use"}.isdisjoint(tag for tag, _ in reader.tags)
    assert not any("src" in attributes or "style" in attributes for _, attributes in reader.tags)
    assert "url(" not in text and "@import" not in text
    policy = next(a for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_shows_the_decisions_own_figures(sample) -> None:
    decision, _, reader = sample
    for line in decision.standings:
        if isinstance(line.quality, Estimate):
            assert f"{line.quality.value * 100:.1f} %" in reader.text
            assert numbers.interval(line.quality).removesuffix(" %") in reader.text
            assert numbers.value(line.latency_p50) in reader.text
            assert numbers.value(line.latency_p95) in reader.text
        if not isinstance(line.cost, Unknown):
            assert numbers.value(line.cost.per_month) in reader.text
            assert numbers.value(line.cost.per_1000) in reader.text
            for fact in line.cost.assumptions:
                assert fact.value in reader.text and fact.source in reader.text and fact.as_of in reader.text
        for gate in line.ruled_out_by:
            if gate.outcome == "failed":
                assert gate.detail in reader.text
        for choice in line.dev_choices:
            assert f"{choice.accuracy * 100:.1f} %" in reader.text
        assert line.licence.headline in reader.text


def test_every_share_on_the_page_comes_from_the_decision(sample) -> None:
    """A figure that no field of the decision explains would be one that the report made up."""
    decision, _, reader = sample
    known = set(re.findall(r"\d+\.\d %", repr(decision)))
    for match in re.findall(r"value=([-\d.e]+)|low=([-\d.e]+)|high=([-\d.e]+)|accuracy=([-\d.e]+)", repr(decision)):
        known |= {f"{abs(float(number)) * 100:.1f} %" for number in match if number}
    assert set(re.findall(r"\d+\.\d %", reader.text)) <= known


def test_sentences_of_the_decision_are_all_on_the_page(sample) -> None:
    decision, _, reader = sample
    needs = tuple(need.sentence for need in decision.would_need)
    for sentence in (*decision.reasons, *decision.doubts, *decision.recheck_when, *needs, *decision.requirements):
        assert sentence in reader.text
    assert decision.verdict in reader.text
    assert decision.data.odd_rows[0] in reader.text


def test_baselines_stand_in_a_group_of_their_own(sample) -> None:
    board = page(sample[0]).sections[0].blocks[0]
    groups = {group.title: [line.id for line in group.lines] for group in board.groups}
    assert groups["Baseline"] == ["linear"]
    assert "linear" not in groups["Language models"]
    assert groups["Not measured"] == ["openai:gpt-5-mini", "openai:gpt-5-nano", "codestral-22b"]


def test_each_chart_has_title_description_table_and_points_that_link_to_rows(sample) -> None:
    _, text, reader = sample
    charts = re.findall(r'<svg class="scatter".*?</svg>', text, re.S)
    assert len(charts) == 2
    for chart in charts:
        assert "<title id=" in chart and "<desc id=" in chart
        assert len(re.findall(r'<a href="#row-\d+" aria-label=', chart)) == 5
        assert 'class="mark open"' in chart and "<polygon" in chart
    assert "The figures of this chart" in reader.text


@pytest.mark.parametrize("decision", [hostile(), crowd(), nobody_passed(), nothing_measured()])
def test_every_state_gives_a_whole_page_below_400_kb(decision: Decision) -> None:
    text = to_html(page(decision))
    assert not Reader(text).open
    assert len(text.encode()) <= 400_000


def test_hostile_text_is_plain_text() -> None:
    text = to_html(page(hostile()))
    reader = Reader(text)
    assert not reader.all("script")
    assert "<script>alert(1)</script>" in reader.text
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert "\u202e" not in text and "\\u202e" in text and "\\x1b[31m" in text
    assert "{{7*7}}" in reader.text


def test_who_is_not_measured_is_told_what_it_would_need_or_why_that_would_not_matter(sample) -> None:
    text = sample[2].text
    assert "GPT-5 mini and GPT-5 nano could still change the picture." in text
    assert "Not measured: OPENAI_API_KEY is not set. It would cost $0.22 per 1,000 requests, $136 a month" in text
    assert "Whatever a measurement said, it is ruled out: licence." in text


def test_a_number_and_its_percent_sign_stay_on_one_line(sample) -> None:
    assert "71.2\u00a0%" in sample[1]


def test_no_winner_comes_with_a_next_step() -> None:
    reader = Reader(to_html(page(nobody_passed())))
    assert "No candidate passes every gate." in reader.text
    assert "add candidates or relax a requirement" in reader.text
    assert "Recommended" not in reader.text


def test_nothing_measured_is_said_in_a_sentence_and_draws_no_scatter() -> None:
    text = to_html(page(nothing_measured()))
    assert "Nothing has been measured yet" in text
    assert '<svg class="scatter"' not in text
