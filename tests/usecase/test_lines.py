"""YAML as study files use it: no surprises in values, a line for every mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.usecase.lines import MAX_DEPTH, read_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("True", "True"),
        ("true", True),
        ("012", "012"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("2024-09-25", "2024-09-25"),
        ("20_000", 20_000),
        ("-7", -7),
        ("1e6", 1e6),
        ("0.50", 0.5),
        (".5", 0.5),
        (".inf", ".inf"),
        ("<= 800 ms", "<= 800 ms"),
        ("6%", "6%"),
        ("", None),
        ("'5'", "5"),
        ('"\\ud83d\\udce6"', "📦"),
    ],
)
def test_a_scalar_means_what_it_looks_like(written: str, value: object) -> None:
    document = read_yaml(f"key: {written}", "study.yaml")
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


def test_every_place_has_its_line_and_a_missing_key_has_that_of_its_section() -> None:
    document = read_yaml("a: 1\nb:\n  - x\n  - y: 2\n", "study.yaml")
    assert [document.line(place) for place in [("a",), ("b", 0), ("b", 1, "y"), ("b", 1, "z"), ("c",)]] == [
        1,
        3,
        4,
        4,
        1,
    ]


def test_a_repeated_key_is_a_mistake_that_names_both_lines() -> None:
    document = read_yaml("a: 1\nb: 2\na: 3\n", "study.yaml")
    (problem,) = document.problems
    assert (problem.slug, problem.where) == ("study-duplicate-key", "study.yaml:3")
    assert "line 1" in problem.what


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("require:\n  accuracy: >= 0.6", 'put it in quotes: accuracy: ">= 0.6"'),
        ("require:\n  latency: > 5 s", 'put it in quotes: latency: "> 5 s"'),
        ("x: 1\nrequire: {accuracy: >= 0.6}", "put the text in quotes"),
        ("x: 1\nname: @home", 'put it in quotes: name: "@home"'),
        ("x: 1\nshare: %5", 'put it in quotes: share: "%5"'),
        ("x: 1\nprompt: Message: {x}", 'put it in quotes: prompt: "Message: {x}"'),
        ("x:\n\t- y", "spaces"),
    ],
)
def test_a_syntax_error_names_the_line_and_the_cure(text: str, advice: str) -> None:
    with pytest.raises(InputError) as caught:
        read_yaml(text, "study.yaml")
    (problem,) = caught.value.problems
    assert problem.where == "study.yaml:2"
    assert advice in problem.next_step


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x 1\nb: *x", "a: !!python/name:os.system x", "a: !!int x"])
def test_aliases_and_tags_are_refused(text: str) -> None:
    try:
        document = read_yaml(text, "study.yaml")
    except InputError:
        return
    assert document.problems


def test_deep_nesting_is_a_mistake_and_no_crash() -> None:
    with pytest.raises(InputError, match=f"deeper than {MAX_DEPTH}"):
        read_yaml("[" * 5000, "study.yaml")


@pytest.mark.parametrize("text", ['a: "\\UFFFFFFFF"', "a: \x07", "a: 1\n---\nb: 2", "? [a]\n: b\n", "a: " + "9" * 9999])
def test_unusual_texts_are_read_or_refused_in_words(text: str) -> None:
    try:
        read_yaml(text, "study.yaml")
    except InputError as error:
        assert error.problems[0].slug == "study-not-yaml"


YAML_LIKE = st.text(alphabet=st.sampled_from(list("ab:0-1 \n\t[]{}\"'|>%@&*!#?,.~\\_\x85")), max_size=60)


@given(YAML_LIKE | st.text(max_size=60))
def test_whatever_the_text_is_only_input_errors_come_out(text: str) -> None:
    try:
        read_yaml(text, "study.yaml")
    except InputError as error:
        assert all(problem.where.startswith("study.yaml") for problem in error.problems)


@given(
    st.recursive(
        st.integers() | st.booleans() | st.none() | st.text(max_size=10), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    import json

    assert read_yaml(json.dumps(value, ensure_ascii=True).replace("\\ud", "?"), "x").data == json.loads(
        json.dumps(value, ensure_ascii=True).replace("\\ud", "?")
    )
