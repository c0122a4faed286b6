"""Whatever a text from outside holds, every form of the report shows it as plain text."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len
from rich.console import Console
from tests.decision.samples import sample_decision
from tests.report.test_html import Reader

from steelyard.decision import Decision
from steelyard.report.html import to_html
from steelyard.report.markdown import escaped, to_markdown
from steelyard.report.page import page
from steelyard.report.terminal import print_summary, provisional
from steelyard.visible import hidden, visible

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ATTACKS = (
    """<script>alert(1)</script>"><img src=x onerror=alert(1)>'{{7*7}}{% raw %}&lt;b&gt;<!--""",
    "javascript:alert(1) <https://e.example> [x](javascript:alert(1)) ![i](http://e.example/i.png)",
    "\x1b[2J\x1b]8;;http://e\x07l\x1b]8;;\x07\x1b]52;c;AAAA\x07\x1b]0;t\x07\x9b2J\x00\x08\x7f",
    "\u202egnp\u2066\u2069\u200b\u200e\ufeff\u00ad\U000e0041\u2028",
    "[red]x[/red] [/] [link=http://e]y[/link] [bold :smile:",
    "| a | b |\n# c\n\n- d\n---\n===\n1. e\n> f\n    g\n```h``` ~~i~~ *j* __k__ `l` \\",
)
LONG = "w" * 2500


def poisoned(value: Any, attack: str, hint: Any = None) -> Any:
    """The same value with the attack in front of and behind every text of it that is free."""
    if isinstance(value, str):
        return value if get_origin(hint) is Literal else f"{attack}{value}{attack}"
    if isinstance(value, tuple):
        return tuple(poisoned(item, attack, *get_args(hint)[:1]) for item in value)
    if isinstance(value, Mapping):
        return {poisoned(key, attack): poisoned(item, attack) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        changes = {f.name: poisoned(getattr(value, f.name), attack, hints[f.name]) for f in fields(value)}
        return replace(value, **changes)
    return value


@pytest.fixture(scope="module", params=["".join(ATTACKS), LONG], ids=["attacks", "long"])
def hostile(request: pytest.FixtureRequest) -> Decision:
    decision: Decision = poisoned(sample_decision(), request.param)
    assert decision.winner == decision.standings[0].candidate
    return decision


def assert_plain(text: str) -> None:
    assert {character for character in text if hidden(character)} <= {"\n"}


def test_html_has_no_tag_attribute_or_address_that_the_clean_page_has_not(hostile: Decision) -> None:
    text, clean = to_html(page(hostile)), Reader(to_html(page(sample_decision())))
    reader = Reader(text)
    assert not reader.open
    assert {tag for tag, _ in reader.tags} <= {tag for tag, _ in clean.tags}
    assert {name for _, a in reader.tags for name in a} <= {name for _, a in clean.tags for name in a}
    assert all(str(a["href"]).startswith("#row-") or a["href"] in hrefs(clean) for a in reader.all("a"))
    assert_plain(text)


def hrefs(reader: Reader) -> set[str | None]:
    return {attributes["href"] for attributes in reader.all("a")}


def test_markdown_means_the_text_itself(hostile: Decision) -> None:
    text = to_markdown(page(hostile))
    clean = parsed(to_markdown(page(sample_decision())))
    tokens = parsed(text)
    assert {token.type for token in tokens} <= {token.type for token in clean}
    assert {token.content for token in tokens if token.type.startswith("html")} <= {"<br>"}
    assert headings(tokens) == headings(clean)
    assert_plain(text)


@example("---")
@example("- a")
@example("+ a")
@example("=")
@example("# a")
@example("1) a")
@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("a1 _*`[]()<>!|~$&;#=+-.\\{}:/\"'@") | st.characters(), min_size=1, max_size=12))
def test_any_text_in_a_list_or_a_cell_is_that_text(text: str) -> None:
    shown = " ".join(visible(text).split())
    assume(shown)
    for document in (
        f"- {escaped(shown)}",
        f"| a |\n|---|\n| {escaped(shown)} |",
        f"a **{escaped('b ' + shown + ' c')}** d",
    ):
        inline = [token for token in parsed(document) if token.type == "inline"][-1]
        assert {token.type for token in inline.children or ()} <= {"text", "strong_open", "strong_close"}
        assert shown in "".join(token.content for token in inline.children or ())


def parsed(text: str) -> list[Token]:
    top = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [token for block in top for token in (block, *(block.children or ()))]


def headings(tokens: list[Token]) -> list[str]:
    return [token.tag for token in tokens if token.type == "heading_open"]


@pytest.mark.parametrize(("width", "colour"), [(20, False), (80, True), (120, False), (400, True)])
def test_a_terminal_shows_it_in_its_width_and_obeys_none_of_it(hostile: Decision, width: int, colour: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, legacy_windows=False)
    print_summary(hostile, console)
    console.print(provisional(hostile))
    text = COLOUR.sub("", out.getvalue())
    assert_plain(text)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    if width == 400 and LONG not in hostile.question:
        assert "[red]x[/red] [/] [link=http://e]y[/link] [bold :smile:" in text
