"""The count of runs that have looked at a sealed test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from steelyard.errors import InputError
from steelyard.usecase import Dataset, Sample, UseCase
from steelyard.usecase.peeks import peek

ONE = Sample("row-1", "hi", "a", "11", 1, "d.csv")
TWO = Sample("row-2", "ho", "b", "22", 2, "d.csv")
DATA = Dataset((ONE,), (TWO,), ("a", "b"), "fingerprint")


def test_each_run_counts_once_also_when_it_is_resumed(load: Callable[..., UseCase]) -> None:
    case = load()
    assert [peek(case, DATA, run) for run in ("first", "first", "second", "first", "third")] == [1, 1, 2, 2, 3]


def test_another_dev_set_does_not_start_the_count_afresh(load: Callable[..., UseCase]) -> None:
    case = load()
    peek(case, DATA, "first")
    assert peek(case, replace(DATA, dev=(), fingerprint="other"), "second") == 2
    assert peek(case, replace(DATA, test=(ONE, TWO)), "third") == 1


@pytest.mark.parametrize("content", ["", "[]", '{"runs": 5}', "{"])
def test_a_count_that_cannot_be_read_is_an_error_and_stays_as_it_is(load: Callable[..., UseCase], content: str) -> None:
    case = load()
    peek(case, DATA, "first")
    file = case.output / "peeks.json"
    file.write_text(content)
    with pytest.raises(InputError, match="peeks-unreadable"):
        peek(case, DATA, "second")
    assert file.read_text() == content


def test_no_half_written_file_is_left_behind(load: Callable[..., UseCase]) -> None:
    case = load()
    peek(case, DATA, "first")
    assert [file.name for file in case.output.iterdir()] == ["peeks.json"]
