"""From files to a Dataset: what is odd is reported, what makes no sense is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.usecase import DataSpec
from steelyard.usecase.read import load_dataset


def spec(tmp_path: Path, *lines: str, **more: object) -> DataSpec:
    file = tmp_path / "d.csv"
    file.write_text("\n".join(lines), "utf-8")
    return DataSpec(**{"input": "message", "target": "intent", "file": file, "test_share": 0.5, **more})  # type: ignore[arg-type]


ROWS = [
    f"text {word},{'ab'[number % 2]}"
    for number, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight"])
]


def test_samples_have_ids_content_hashes_and_file_rows(tmp_path: Path) -> None:
    dataset = load_dataset(spec(tmp_path, "message,intent", *ROWS))
    everything = sorted((*dataset.dev, *dataset.test), key=lambda sample: sample.row)
    assert [sample.id for sample in everything] == [f"row-{row}" for row in range(2, 10)]
    assert dataset.labels == ("a", "b")
    assert len({sample.sha256 for sample in everything}) == 8
    assert not dataset.odd_rows


def test_optional_columns_arrive(tmp_path: Path) -> None:
    lines = ["id,message,intent,who,lang,kind", *(f"i{n},{row},w{n},de,k{n}" for n, row in enumerate(ROWS))]
    dataset = load_dataset(spec(tmp_path, *lines, id="id", cluster="who", language="lang", slices=("kind",)))
    sample = next(found for found in (*dataset.dev, *dataset.test) if found.id == "i3")
    assert (sample.cluster, sample.language, sample.slices) == ("w3", "de", {"kind": "k3"})


def test_rows_that_cannot_be_used_are_reported_with_row_and_reason(tmp_path: Path) -> None:
    lines = ["message,intent", *ROWS, ",a", "text nine,", '"nul \0",a', "x,y,z", "  , "]
    dataset = load_dataset(spec(tmp_path, *lines))
    assert {(odd.row, odd.reason) for odd in dataset.odd_rows if not odd.used} == {
        (10, "'message' is empty"),
        (11, "'intent' is empty"),
        (12, "'message' holds a NUL character"),
        (13, "3 columns instead of 2"),
        (14, "'message' is empty"),
        (14, "'intent' is empty"),
    }
    assert len(dataset.dev) + len(dataset.test) == 8


def test_rows_that_are_used_with_a_change_are_reported(tmp_path: Path) -> None:
    lines = [
        "id,message,intent",
        *(f"x,{row}" for row in ROWS[:3]),
        *(f"{row[5:8]},{row}" for row in ROWS[3:]),
        ",nine, a ",
    ]
    dataset = load_dataset(spec(tmp_path, *lines, id="id"))
    assert {(odd.row, odd.used) for odd in dataset.odd_rows} == {(3, True), (4, True), (10, True)}
    assert {"x", "x~2", "x~3", "row-10"} <= {sample.id for sample in (*dataset.dev, *dataset.test)}
    assert dataset.labels == ("a", "b")


def test_two_given_files_stay_as_they_are_and_ids_do_not_collide(tmp_path: Path) -> None:
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_text('{"m": "one", "t": "a"}\n{"m": "two", "t": "b"}\n')
    test.write_text('{"m": "One!", "t": "a"}\n{"m": "three", "t": "c"}\n')
    dataset = load_dataset(DataSpec("m", "t", train=train, test=test))
    assert [sample.id for sample in dataset.dev] == ["train-row-1", "train-row-2"]
    assert [sample.id for sample in dataset.test] == ["test-row-1", "test-row-2"]
    assert [(leak.dev_id, leak.test_id, leak.similarity) for leak in dataset.leaks] == [
        ("train-row-1", "test-row-1", 1.0)
    ]
    (odd,) = dataset.odd_rows
    assert (odd.row, odd.used) == (2, True)
    assert "'c' is tested but does not occur in dev" in odd.reason


def test_the_fingerprint_follows_content_and_split_and_not_the_order_of_rows(tmp_path: Path) -> None:
    lines = ["id,message,intent", *(f"{row[5:8]},{row}" for row in ROWS)]
    first = load_dataset(spec(tmp_path, *lines, id="id"))
    assert load_dataset(spec(tmp_path, lines[0], *lines[:0:-1], id="id")).fingerprint == first.fingerprint
    assert load_dataset(spec(tmp_path, *lines, id="id", seed=1)).fingerprint != first.fingerprint
    assert load_dataset(spec(tmp_path, *lines, "new,new text,a", id="id")).fingerprint != first.fingerprint


def test_labels_that_look_alike_are_reported(tmp_path: Path) -> None:
    dataset = load_dataset(spec(tmp_path, "message,intent", *ROWS, "nine,A", "ten,A"))
    assert dataset.labels == ("A", "a", "b")
    (odd,) = dataset.odd_rows
    assert (odd.used, "'A' (2 rows) looks like 'a'" in odd.reason) == (True, True)


def test_limits_take_samples_of_both_sides(tmp_path: Path) -> None:
    dataset = load_dataset(spec(tmp_path, "message,intent", *ROWS, max_test=2, max_dev=3))
    assert (len(dataset.dev), len(dataset.test)) == (3, 2)


@pytest.mark.parametrize(
    ("lines", "more", "slug", "hint"),
    [
        (["message,intnt", "a,b"], {}, "data-no-column", "did you mean 'intnt'"),
        (["message,intent", "a,b"], {"cluster": "who"}, "data-no-column", "message, intent"),
        (["message,intent", "a,b"], {}, "data-too-few", "1 usable row"),
        (["message,intent"], {}, "data-too-few", "no usable rows"),
        (["message,intent", "a,", "b,"], {}, "data-too-few", "2 rows: 'intent' is empty"),
        (["message,intent", "a,x", "b,x"], {}, "data-one-label", "'x'"),
        (["message,intent", "a,x", "b,y"], {"test_share": 0.01}, "data-too-few", "testing"),
        (["", " "], {}, "data-too-few", "empty"),
    ],
)
def test_data_on_which_nothing_can_be_measured_are_refused(
    tmp_path: Path, lines: list[str], more: dict[str, object], slug: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_dataset(spec(tmp_path, *lines, **more))
    assert {problem.slug for problem in caught.value.problems} == {slug}
    assert hint in str(caught.value)


def test_all_missing_columns_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_dataset(spec(tmp_path, "a,b", "1,2"))
    assert len(caught.value.problems) == 2


def test_thirteen_thousand_real_messages_are_read_and_their_leaks_found(shared_data: Path) -> None:
    folder = shared_data / "banking77"
    dataset = load_dataset(
        DataSpec("input", "expected", train=folder / "train.jsonl", test=folder / "test.jsonl", id="id")
    )
    assert (len(dataset.dev), len(dataset.test), len(dataset.labels)) == (10003, 3080, 77)
    assert sum(leak.similarity == 1 for leak in dataset.leaks) == 26
