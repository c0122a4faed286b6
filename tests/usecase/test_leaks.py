"""Duplicates across the split are found, whatever the size, and only those."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.usecase import Leak, Sample
from steelyard.usecase.leaks import NEAR, SHINGLE, find_leaks, normalised


def samples(side: str, texts: list[str]) -> list[Sample]:
    return [Sample(f"{side}-{number}", text, "a", "", number, "d.csv") for number, text in enumerate(texts)]


def leaks(dev: list[str], test: list[str]) -> tuple[Leak, ...]:
    return find_leaks(samples("dev", dev), samples("test", test))


def jaccard(first: str, second: str) -> float:
    one, two = ({text[n : n + SHINGLE] for n in range(max(1, len(text) - SHINGLE + 1))} for text in (first, second))
    return len(one & two) / len(one | two)


@pytest.mark.parametrize(
    "variant", ["where is my card", "  Where is\tMY card?!", "WHERE-is-my-card", "ｗhere is my card"]
)
def test_case_punctuation_and_white_space_do_not_hide_a_duplicate(variant: str) -> None:
    assert leaks(["something else", "Where is my card?"], [variant]) == (Leak("dev-1", "test-0", 1.0),)


def test_one_changed_word_in_a_long_message_is_a_near_duplicate() -> None:
    text = "I ordered two bags of decaf last Tuesday and the parcel has still not arrived, can you look into it please"
    (leak,) = leaks(["unrelated", text], [text.replace("Tuesday", "Monday")])
    assert leak.dev_id == "dev-1"
    assert NEAR <= leak.similarity < 1


def test_different_messages_on_the_same_subject_are_no_leak() -> None:
    assert not leaks(["My card has not arrived yet"], ["When will my new card arrive?", "Card arrival"])


def test_texts_without_a_word_are_compared_as_they_are() -> None:
    assert [leak.test_id for leak in leaks(["???", "!"], ["???", "??", "!"])] == ["test-0", "test-2"]


def test_the_most_similar_of_several_is_reported() -> None:
    text = "please cancel my subscription at the end of the month and confirm it by mail"
    (leak,) = leaks([text + " thanks a lot", text + " ok"], [text + " okay"])
    assert leak.dev_id == "dev-1"


@given(
    st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1, max_size=20),
    st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1, max_size=20),
)
def test_the_index_finds_what_comparing_all_pairs_finds(dev: list[str], test: list[str]) -> None:
    """Twenty texts are below the bound on compared texts, so that nothing may be missed."""
    found = {leak.test_id: leak.similarity for leak in leaks(dev, test)}
    for number, text in enumerate(test):
        best = max(jaccard(normalised(text), normalised(other)) for other in dev)
        same = normalised(text) in {normalised(other) for other in dev}
        if same or best >= NEAR:
            assert found[f"test-{number}"] == pytest.approx(1.0 if same else best)
        else:
            assert f"test-{number}" not in found


@given(st.lists(st.text("abcdef ", min_size=40, max_size=120), min_size=1, max_size=8), st.data())
def test_an_altered_copy_is_found_whenever_it_is_similar_enough(dev: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(dev))
    cut = data.draw(st.integers(0, len(text)))
    altered = text[:cut] + data.draw(st.text("xyz", max_size=8)) + text[cut + data.draw(st.integers(0, 4)) :]
    best = max(jaccard(normalised(altered), normalised(other)) for other in dev)
    found = leaks(dev, [altered])
    assert [leak.similarity for leak in found] == ([pytest.approx(best)] if best >= NEAR else [])


def test_thousands_of_texts_from_one_template_do_not_take_quadratic_time() -> None:
    """Every pair is a near duplicate here: 1,500 x 1,500 comparisons would take minutes."""
    rng = random.Random(0)
    texts = [
        f"Dear team, my order number {rng.randrange(10**9)} has not arrived at my address yet, can you look"
        " into it please, I have been waiting for it since the end of last month"
        for _ in range(3000)
    ]
    assert len(leaks(texts[:1500], texts[1500:])) > 1000
