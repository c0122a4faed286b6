"""Whatever the data file holds: a dataset that is sound in every sample, or words that say what to do."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.usecase import Dataset, DataSpec
from steelyard.usecase.read import load_dataset
from steelyard.usecase.records import read_records

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = ["refund", "parcel", "broken", "card", "login", "price", "invoice", "coffee", "late", "address"]
SIGNS = '{}[]",;\\\n\r\t:\0 ab\u200b\u0301é\ud800\ufeff01'


def rows(count: int, labels: tuple[str, ...] = ("a", "b")) -> list[dict[str, str]]:
    return [{"message": f"{WORDS[n % 10]} {n}", "intent": labels[n % len(labels)]} for n in range(count)]


def lines(*objects: object) -> str:
    return "\n".join(map(json.dumps, objects))


def load(tmp_path: Path, content: str | bytes, name: str = "d.jsonl", test_share: float = 0.5) -> Dataset:
    file = tmp_path / name
    file.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    return load_dataset(DataSpec("message", "intent", file=file, test_share=test_share, id="id"))


def plain(tmp_path: Path, content: str | bytes, name: str = "d.jsonl") -> Dataset:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_dataset(DataSpec("message", "intent", file=file, test_share=0.5))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.fixed_dictionaries({"message": TEXTS, "intent": TEXTS}), min_size=1, max_size=6), st.booleans())
def test_records_come_back_as_they_were_written_in_every_form(
    tmp_path: Path, records: list[dict[str, str]], escaped: bool
) -> None:
    forms = {
        "d.jsonl": "\n".join(json.dumps(record, ensure_ascii=escaped) for record in records),
        "d.json": json.dumps(records, ensure_ascii=escaped, indent=1 if escaped else None),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, "utf-8", newline="")
        found = read_records(tmp_path / name, ("message", "intent"))
        assert [dict(record.values) for record in found.rows] == records
        assert not found.odd_rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=120)
    | st.text(SIGNS, max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.lists(
        st.text(SIGNS, max_size=12).map(lambda text: f'{{"id": 1, "message": "{text}", "intent": "{text[:2]}"}}'),
        max_size=8,
    ).map(lambda found: "\n".join(found).encode("utf-8", "surrogatepass")),
    st.sampled_from(["d.csv", "d.tsv", "d.jsonl", "d.json"]),
    st.sampled_from([b"", b"id,message,intent\n", b"\xef\xbb\xbfid;message;intent\n", b"["]),
)
def test_any_bytes_give_a_sound_dataset_or_words(tmp_path: Path, content: bytes, name: str, head: bytes) -> None:
    try:
        dataset = load(tmp_path, head + content, name)
    except InputError as error:
        assert all(problem.next_step for problem in error.problems), str(error)
        return
    samples = (*dataset.dev, *dataset.test)
    assert dataset.dev
    assert dataset.test
    assert len({sample.id for sample in samples}) == len(samples)
    for sample in samples:
        sample.id.encode()
        sample.input.encode()
        assert sample.target.strip()
        assert "\0" not in sample.input + sample.target
    assert not {odd.row for odd in dataset.odd_rows if not odd.used} & {sample.row for sample in samples}


@pytest.mark.parametrize(
    ("content", "name", "slug", "said"),
    [
        (b"PK\x03\x04rest", "d.csv", "data-format", "ZIP archive"),
        (b"PAR1rest", "d.jsonl", "data-format", "Parquet"),
        (b"\x1f\x8brest", "d.jsonl", "data-format", "gzip"),
        (lines(*rows(4)), "d.csv", "data-format", "name end in .jsonl"),
        ("message,intent\na,b\n", "d.jsonl", "data-format", "2 rows: not JSON"),
        ('[{"message": 1},\n', "d.json", "data-format", "one array of them"),
        ("message,intent\n".encode("utf-16-le"), "d.csv", "data-format", "save the file as UTF-8"),
        ("Gr\xfc\xdfe;intent\n".encode("latin-1"), "d.csv", "data-format", "save the file as UTF-8"),
        (lines(*rows(9), {"message": "x"}), "d.xlsx", "data-format", ".jsonl"),
        (",".join(f"c{n}" for n in range(99)), "d.csv", "data-no-column", "and 69 more"),
        (lines(*({**row, "intent": None} for row in rows(3))), "d.jsonl", "data-too-few", "3 rows: 'intent' is empty"),
        (lines({"message": "", "intent": "b"}, *rows(9, ("a",))), "d.jsonl", "data-one-label", "1 row: 'message'"),
        (lines(*rows(50, tuple(map(str, range(50))))), "d.jsonl", "data-free-text", "50 different values in 50"),
        (lines(*({**row, "message": "same"} for row in rows(9))), "d.jsonl", "data-too-few", "equal inputs"),
    ],
)
def test_a_file_that_cannot_be_measured_on_says_what_it_is(
    tmp_path: Path, content: str | bytes, name: str, slug: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        plain(tmp_path, content, name)
    assert {problem.slug for problem in caught.value.problems} == {slug}
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"message": "a", "message": "b", "intent": "a"}', "the key 'message' stands twice"),
        ('{"message": "a", "intent": 123456789012345678901}', "too many digits"),
        ('{"message": "a", "intent": 1e400}', "infinity"),
        ('{"message": "\\ud800", "intent": "a"}', "not JSON"),
        ('{"message": "\u200b\u2060", "intent": "a"}', "'message' is empty"),
        ('{"message": "a", "intent": "\u3000"}', "'intent' is empty"),
        ('{"message": "a", "intent": "\\u0000"}', "NUL"),
        (f'{{"message": "a", "intent": "a", "n": {"[" * 5000}{"]" * 5000}}}', "not JSON"),
    ],
)
def test_an_unsound_row_costs_itself_and_is_named(tmp_path: Path, row: str, reason: str) -> None:
    dataset = plain(tmp_path, f"{lines(*rows(8))}\n{row}")
    assert len(dataset.dev) + len(dataset.test) == 8
    (odd,) = {odd for odd in dataset.odd_rows if odd.row == 9 and reason in odd.reason}
    assert not odd.used


def test_what_looks_like_a_key_in_a_text_is_no_key(tmp_path: Path) -> None:
    row = {"message": '"intent": "intent"', "intent": "message", "n": {"message": "intent"}}
    assert len(plain(tmp_path, lines(row, *rows(3))).odd_rows) <= 2
    assert read_records(tmp_path / "d.jsonl", ("message", "intent")).rows[0].values["intent"] == "message"


def test_two_unicode_forms_of_a_label_are_one_label_and_other_lookalikes_are_told_first(tmp_path: Path) -> None:
    labels = ("caf\u00e9", "cafe\u0301", "CAF\u00c9")
    dataset = plain(tmp_path, lines(*rows(30, labels)))
    assert dataset.labels == ("CAF\u00c9", "caf\u00e9")
    assert "looks like" in dataset.odd_rows[0].reason
    assert sum("Unicode form" in odd.reason for odd in dataset.odd_rows) == 10


def test_a_table_field_of_a_megabyte_is_a_field_like_any_other(tmp_path: Path) -> None:
    stream = io.StringIO()
    long = 'so long, "and thanks"\n' * 50_000
    csv.writer(stream).writerows(
        [["message", "intent"], [long, "a"], *([row["message"], row["intent"]] for row in rows(8))]
    )
    dataset = plain(tmp_path, stream.getvalue(), "d.csv")
    assert long in {sample.input for sample in (*dataset.dev, *dataset.test)}
    assert not dataset.odd_rows


def test_a_copy_of_the_training_data_seals_nothing(tmp_path: Path) -> None:
    for name in ("train.jsonl", "test.jsonl"):
        (tmp_path / name).write_text(lines(*rows(8)))
    with pytest.raises(InputError, match="nothing is sealed"):
        load_dataset(DataSpec("message", "intent", train=tmp_path / "train.jsonl", test=tmp_path / "test.jsonl"))
