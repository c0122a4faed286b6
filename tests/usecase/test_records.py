"""Data files: every dialect gives the same text, and a bad row costs itself only."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.usecase.records import Records, read_records

WANTED = ("message", "intent")
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\\"), max_size=8)


def read(tmp_path: Path, name: str, content: str | bytes) -> Records:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_records(file, WANTED)


def rows(records: Records) -> list[tuple[int, dict[str, str]]]:
    return [(record.row, dict(record.values)) for record in records.rows]


TWO = [(2, {"message": "hi, there", "intent": "a"}), (3, {"message": 'say "x"', "intent": "b"})]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", 'message,intent\n"hi, there",a\n"say ""x""",b\n'),
        ("d.csv", 'message;intent\nhi, there;a\n"say ""x""";b\n'),
        ("d.csv", 'message|intent\nhi, there|a\n"say ""x"""|b'),
        ("d.csv", 'message,intent\r\n"hi, there",a\r\n"say ""x""",b\r\n'),
        ("d.csv", 'message,intent\n"hi, there",a\n"say \\"x\\"",b\n'),
        ("d.csv", 'message,intent\r"hi, there",a\r"say ""x""",b\r'),
        ("d.csv", b'\xef\xbb\xbf"message","intent"\n"hi, there","a"\n"say ""x""","b"\n'),
        ("d.csv", 'message,intent\n"hi, there",a\n"say ""x""",b\n'.encode("utf-16")),
        ("d.tsv", 'message\tintent\nhi, there\ta\nsay "x"\tb\n'),
        ("d.TSV", 'message\tintent\nhi, there\ta\n"say ""x"""\tb\n'),
    ],
)
def test_every_dialect_of_a_table_gives_the_same_rows(tmp_path: Path, name: str, content: str | bytes) -> None:
    records = read(tmp_path, name, content)
    assert rows(records) == TWO
    assert records.columns == WANTED
    assert not records.odd_rows


def test_the_delimiter_is_the_one_that_shows_the_wanted_columns(tmp_path: Path) -> None:
    records = read(tmp_path, "d.csv", "message;intent;a,b,c,d\nx;y;1\n")
    assert rows(records) == [(2, {"message": "x", "intent": "y", "a,b,c,d": "1"})]


def test_a_row_of_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    records = read(tmp_path, "d.csv", 'message,intent\n"one\ntwo",a\n\nthree,b\n')
    assert rows(records) == [(2, {"message": "one\ntwo", "intent": "a"}), (5, {"message": "three", "intent": "b"})]


def test_rows_with_too_few_or_too_many_columns_are_odd(tmp_path: Path) -> None:
    records = read(tmp_path, "d.csv", "message,intent\nx\nx,y,z\nx,y\n")
    assert [(odd.row, odd.reason, odd.used) for odd in records.odd_rows] == [
        (2, "1 columns instead of 2", False),
        (3, "3 columns instead of 2", False),
    ]
    assert len(records.rows) == 1


@pytest.mark.parametrize("line", ['"never closed,a', '"closed" too early,a'])
def test_a_quote_that_does_not_match_costs_no_other_row(tmp_path: Path, line: str) -> None:
    records = read(tmp_path, "d.csv", f'message,intent\n{line}\nx,b\n"y",c\n')
    assert [record.values["intent"] for record in records.rows] == ["a", "b", "c"]
    assert [(odd.row, odd.used) for odd in records.odd_rows] == [(2, True)]


def test_bytes_that_are_not_utf8_make_their_row_odd(tmp_path: Path) -> None:
    table = read(tmp_path, "d.csv", b"message,intent\nf\xfcr,a\nok,b\n")
    lines = read(tmp_path, "d.jsonl", b'{"message": "f\xfcr", "intent": "a"}\n{"message": "ok", "intent": "b"}\n')
    for records, row in ((table, 2), (lines, 1)):
        assert [odd.row for odd in records.odd_rows] == [row]
        assert "UTF-8" in records.odd_rows[0].reason
        assert len(records.rows) == 1


def test_json_numbers_and_booleans_are_text_and_null_is_nothing(tmp_path: Path) -> None:
    records = read(
        tmp_path, "d.jsonl", '{"message": 5, "intent": true}\n\n{"message": 1.50, "intent": null, "n": [1]}\n'
    )
    assert rows(records) == [(1, {"message": "5", "intent": "true"}), (3, {"message": "1.5", "n": "[1]"})]
    assert records.columns == ("message", "intent", "n")


@pytest.mark.parametrize(
    "line", ["{", "[1]", "5", '{"message": ["a"], "intent": "b"}', '{"message": "\\ud800"}', "{'a': 1}"]
)
def test_a_line_that_is_no_object_of_texts_is_odd(tmp_path: Path, line: str) -> None:
    records = read(tmp_path, "d.jsonl", f'{line}\n{{"message": "x", "intent": "y"}}')
    assert [(odd.row, odd.used) for odd in records.odd_rows] == [(1, False)]
    assert [record.row for record in records.rows] == [2]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    assert len(read(tmp_path, "d.jsonl", '{"message": "a\u2028b\x85c"}\n').rows) == 1


@pytest.mark.parametrize(
    ("name", "content"), [("d.jsonl", ""), ("d.csv", "\n \n"), ("d.xlsx", "x"), ("d.csv", "message,message\na,b\n")]
)
def test_a_file_that_is_of_no_use_as_a_whole_is_an_error(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(InputError):
        read(tmp_path, name, content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_python_writes_as_csv_is_read_back_unchanged(
    tmp_path: Path, cells: list[tuple[str, str]], quoting: int
) -> None:
    cells = [("kept", "always"), *((first or "x", second) for first, second in cells)]
    for name, delimiter in (("d.csv", ","), ("e.csv", ";"), ("d.tsv", "\t")):
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
        writer.writerows([WANTED, *cells])
        records = read(tmp_path, name, stream.getvalue())
        assert [(record.values["message"], record.values["intent"]) for record in records.rows] == cells
        assert not records.odd_rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(WANTED), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1)
)
def test_what_is_written_as_json_lines_is_read_back_unchanged(tmp_path: Path, objects: list[dict[str, str]]) -> None:
    records = read(tmp_path, "d.jsonl", "\n".join(json.dumps(found) for found in objects))
    assert [dict(record.values) for record in records.rows] == objects


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=80) | st.text('",;ab\n\\\t', max_size=40).map(str.encode),
    st.sampled_from(["d.csv", "d.tsv", "d.jsonl"]),
)
def test_every_row_of_any_file_is_read_or_reported(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        records = read(tmp_path, name, content)
    except InputError:
        return
    assert len({record.row for record in records.rows}) == len(records.rows)
    unused = {odd.row for odd in records.odd_rows if not odd.used}
    assert not unused & {record.row for record in records.rows}
