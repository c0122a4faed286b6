"""Dev and test: the same for the same rows, fair to every label, nothing on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from steelyard.usecase import Sample
from steelyard.usecase.leaks import normalised
from steelyard.usecase.split import split, thin


def sample(number: int, target: str, *, text: str = "", cluster: str = "") -> Sample:
    text = text or f"message number {number}"
    digest = hashlib.sha256(f"{text}\0{target}".encode()).hexdigest()
    return Sample(f"row-{number}", text, target, digest, number, "d.csv", cluster)


def many(count: int) -> list[Sample]:
    return [sample(number, "abcde"[number % 5]) for number in range(count)]


def ids(samples: list[Sample]) -> list[str]:
    return [found.id for found in samples]


def test_each_label_is_split_in_the_given_share() -> None:
    dev, test = split(many(500), 0.4, seed=0)
    assert Counter(found.target for found in test) == dict.fromkeys("abcde", 40)
    assert len(dev) == 300


def test_small_labels_do_not_drive_the_share_away() -> None:
    """Seventy labels of three rows: 1.2 a label for the test, so some give one and some two."""
    _, test = split([sample(number, f"label {number // 3}") for number in range(210)], 0.4, seed=0)
    assert len(test) == 84


def test_the_order_of_the_rows_does_not_matter() -> None:
    samples = many(100)
    backwards = split(samples[::-1], 0.3, seed=1)
    assert [sorted(ids(side)) for side in split(samples, 0.3, seed=1)] == [sorted(ids(side)) for side in backwards]


def test_another_seed_is_another_split() -> None:
    assert ids(split(many(100), 0.3, seed=1)[1]) != ids(split(many(100), 0.3, seed=2)[1])


def test_a_new_row_moves_few_of_the_old_ones() -> None:
    before = set(ids(split(many(500), 0.4, seed=0)[1]))
    after = set(ids(split([*many(500), sample(500, "a")], 0.4, seed=0)[1]))
    assert len(before - after) <= 2


def test_exact_duplicates_stay_on_one_side() -> None:
    samples = [sample(number, "ab"[number % 2], text=f"Text {number // 4}{'!' * (number % 4)}") for number in range(80)]
    dev, test = split(samples, 0.4, seed=0)
    assert not {normalised(found.input) for found in dev} & {normalised(found.input) for found in test}
    assert test


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "x", "y", "z", "w"])), min_size=2, max_size=40),
    st.floats(0.05, 0.95),
    st.integers(0, 5),
)
def test_nothing_is_lost_no_cluster_straddles_and_dev_has_every_label(
    rows: list[tuple[str, str]], share: float, seed: int
) -> None:
    samples = [sample(number, target, cluster=cluster) for number, (target, cluster) in enumerate(rows)]
    dev, test = split(samples, share, seed)
    assert sorted(ids(dev) + ids(test)) == sorted(ids(samples))
    assert not {found.cluster for found in dev if found.cluster} & {found.cluster for found in test}
    total = Counter(found.target for found in samples)
    assert {label for label, count in total.items() if count > 1} <= {found.target for found in dev}


def test_thinning_keeps_each_label_in_its_proportion_and_the_order_of_the_file() -> None:
    samples = [sample(number, "rare" if number % 10 == 0 else "common") for number in range(1000)]
    thinned = thin(samples, 100, seed=0)
    assert Counter(found.target for found in thinned) == {"common": 90, "rare": 10}
    assert [found.row for found in thinned] == sorted(found.row for found in thinned)


def test_thinning_to_more_than_there_are_changes_nothing() -> None:
    assert thin(many(10), 10, seed=0) == many(10)
    assert thin(many(10), None, seed=0) == many(10)


def test_covering_takes_one_of_each_label_first() -> None:
    samples = [*[sample(number, "common") for number in range(1000)], sample(1000, "rare")]
    assert {found.target for found in thin(samples, 4, seed=0, cover=True)} == {"common", "rare"}


def test_samples_that_differ_in_nothing_but_id_are_all_counted() -> None:
    samples = [replace(sample(0, "a"), id=f"row-{number}") for number in range(6)]
    assert len(thin(samples, 3, seed=0)) == 3
