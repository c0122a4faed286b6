"""The guess at columns, and the first study file made from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.usecase.guess import Guess, describe, guess_columns
from steelyard.usecase.lines import read_yaml
from steelyard.usecase.load import load_study
from steelyard.usecase.records import Record, Records
from steelyard.usecase.starter import Answers, quoted, study_text


def table(**columns: list[str]) -> Records:
    count = max(map(len, columns.values()))
    rows = [Record(n, {name: values[n] for name, values in columns.items() if values[n]}) for n in range(count)]
    return Records(tuple(columns), tuple(rows), ())


MESSAGES = [f"this is the message number {number}" for number in range(6)]


def test_the_longest_text_is_the_input_and_few_values_are_the_target() -> None:
    records = table(id=list("123456"), message=MESSAGES, intent=list("aabbab"), lang=["de", "en"] * 3)
    assert guess_columns(describe(records)) == Guess("message", "intent", "id", "lang")


def test_a_note_on_few_rows_is_not_the_input_however_long() -> None:
    records = table(note=["a long remark that stands here once " * 2, *[""] * 5], body=MESSAGES, kind=list("aabbab"))
    assert guess_columns(describe(records)).input == "body"


def test_one_column_is_not_enough() -> None:
    with pytest.raises(InputError, match="two columns"):
        guess_columns(describe(table(body=MESSAGES)))


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(lambda name: f"{name}x")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_survives_quoting(text: str) -> None:
    assert read_yaml(f"key: {quoted(text)}", "study.yaml").data == {"key": text}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(NAMES, NAMES, st.booleans())
def test_whatever_columns_are_called_the_study_loads(tmp_path: Path, text: str, target: str, two_files: bool) -> None:
    if text == target:
        target += "2"
    for name in ("my data.csv", "test.csv"):
        (tmp_path / name).touch()
    answers = Answers("x", "my data.csv", Guess(text, target, "id", ""), test_file="test.csv" if two_files else "")
    (tmp_path / "study.yaml").write_text(study_text(answers), "utf-8")
    case = load_study(tmp_path)
    assert (case.data.input, case.data.target, case.data.id) == (text, target, "id")
    assert (case.data.test_share is None) == two_files


def test_everything_that_was_answered_stands_in_the_study(tmp_path: Path) -> None:
    (tmp_path / "d.csv").touch()
    answers = Answers(
        "x",
        "d.csv",
        Guess("a", "b", "", "lang"),
        purpose="hosted-service",
        commercial=False,
        organisation="academic",
        domicile="NO",
        territories=("NO", "FR"),
        data_class="confidential",
        requests_per_day=250_000,
        candidates=("linear", "openai:gpt-5-mini"),
    )
    (tmp_path / "study.yaml").write_text(study_text(answers), "utf-8")
    case = load_study(tmp_path)
    assert (case.use.purpose, case.use.commercial, case.data.language) == ("hosted-service", False, "lang")
    assert (case.use.organisation.kind, case.use.organisation.domicile) == ("academic", ("NO",))
    assert case.use.users.territories == ("NO", "FR")
    assert case.privacy.may_send_to == "own"
    assert [candidate.id for candidate in case.candidates] == ["linear", "openai:gpt-5-mini"]
