"""An answer names the label that it says, or none: never another one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.trials.labels import Labels, verbalise

LABEL = st.text("aAbB1 _-+#.,()\n😀éｂ\u0301कि'\"", min_size=1, max_size=5).map(str.strip).filter(bool)
LABEL_SETS = st.lists(
    LABEL | st.text(min_size=1, max_size=6).map(str.strip).filter(bool), unique=True, min_size=1, max_size=8
)
FRAMES = ["{}", " {}\n", "{}.", '"{}"', "**{}**", "({})", "Label: {}", "I think it is {}!", "{} {}", "{}, {}"]


@given(LABEL_SETS, st.text())
def test_any_text_names_one_of_the_labels_or_none(labels: list[str], said: str) -> None:
    label, strict = Labels(labels).parse(said)
    assert label in (*labels, "")
    assert label or not strict


def evened(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


@given(LABEL_SETS)
def test_words_of_different_labels_differ_and_each_names_its_label(labels: list[str]) -> None:
    names = Labels(labels)
    assert len(set(verbalise(labels))) == len(labels)
    for label, word in zip(labels, names.words, strict=True):
        if word.isascii():  # elsewhere the label may be in another Unicode form than the data reader's
            assert names.parse(word) == names.parse(f" {label}\n") == (label, True)


@given(LABEL_SETS, st.data())
def test_a_framed_label_names_itself_or_none_or_one_that_takes_in_more_of_the_text(
    labels: list[str], data: st.DataObject
) -> None:
    names = Labels(labels)
    number = data.draw(st.integers(0, len(labels) - 1))
    said = data.draw(st.sampled_from(FRAMES)).replace("{}", names.words[number])
    label, _ = names.parse(said)
    if label not in ("", labels[number]):
        word = names.words[labels.index(label)]
        assert len(word) >= len(names.words[number]) or names.words[number].casefold() not in said.casefold()


@given(LABEL_SETS, st.data())
def test_two_labels_side_by_side_name_none_unless_one_takes_in_the_other(
    labels: list[str], data: st.DataObject
) -> None:
    first, second = data.draw(st.sampled_from(labels)), data.draw(st.sampled_from(labels))
    label, _ = Labels(labels).parse(f"{first} | {second}")
    taken_in = evened(label) in evened(f"{first} | {second}")
    assert label in (first, second, "") or taken_in or not label.isascii()


@pytest.mark.parametrize(
    ("labels", "said", "label"),
    [
        ("C C++ C# Java", "I would say C++.", "C++"),
        ("C C++ C# Java", "It is C, really.", "C"),
        ("C C++ C# Java", "c#!", "C#"),
        ("C C++ C# Java", "C or C++", ""),
        ("C++ C# Java", "The letter C.", ""),
        ("A A+ A- B", "Grade: A-", "A-"),
        ("A a", "Answer: a", "a"),
        ("A a", "(A)", "A"),
        ("-1 0 1", "Score: -1", "-1"),
        ("-1 0", "Score: -1", "-1"),
        ("😀 😡 meh", "The mood: 😡", "😡"),
        ("😀 😡 meh", "meh 😡", ""),
        ("refund refund_status", "Refund status. Refund status.", "refund_status"),
        ("हिंदी हिन्दू", "यह हिंदी है", "हिंदी"),
        ("हि ही", "उत्तर: ही.", "ही"),
        ("ﬁne bad", "It is fine.", "ﬁne"),
        ("café bad", "cafe\u0301", "café"),
        ("café cafe", "It is cafe\u0301.", "café"),
        ("groß klein", "GROSS", "groß"),
        ("no yes", "No, yes is wrong", ""),
        ("no yes", "nobody", ""),
    ],
)
def test_labels_that_differ_in_little_are_told_apart_by_how_they_are_spelt(labels: str, said: str, label: str) -> None:
    assert Labels(labels.split()).parse(said)[0] == label
