"""A text is named for certain or not at all. The real licence texts are not here: benchmarks/recognise.py has them."""

from __future__ import annotations

import random
import textwrap
from pathlib import Path

import pytest

from steelyard.licences.recognise import Abstained, Recognised, fingerprint, fingerprints, recognise, runs_of, words_of

WORDS = ("grant", "model", "weights", "notice", "output", "terms", "party", "use", "derive", "hold", "right", "court")
RNG = random.Random(5)
BODY = [" ".join(RNG.choices(WORDS, k=60)) for _ in range(12)]
LIMIT = "If the product has more than {} million monthly users a separate agreement must be asked for in writing."

PERMISSION = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    "documentation files, to deal in it without restriction."
)


def licence(limit: str, name: str) -> str:
    return "\n\n".join([f"The {name} licence, version 1", *BODY[:6], LIMIT.format(limit), *BODY[6:]])


OLD, NEW = licence("100", "old") + "\n\nHere ends the old one, with a last word of its own.", licence("700", "new")
KNOWN = tuple(fingerprint(name, "", "", runs_of(words_of(text))) for name, text in (("old", OLD), ("new", NEW)))


def named(text: str) -> str:
    got = recognise(text, KNOWN)
    return got.licence if isinstance(got, Recognised) else ""


@pytest.mark.parametrize(
    "spoil",
    [
        str,
        str.upper,
        lambda text: textwrap.fill(" ".join(text.split()), 31),
        lambda text: text.split("\n\n", 1)[1],
        lambda text: "".join(f"<p class='a'>{part}</p>" for part in text.split("\n\n")),
        lambda text: (
            f"---\nlicense: other\n---\n# Some model\nIt is good at sums.\n\n{text}\n\nThank you for reading this."
        ),
    ],
)
def test_a_text_is_named_however_it_is_set(spoil) -> None:
    assert named(spoil(OLD)) == "old"
    assert named(spoil(NEW)) == "new"


def test_a_half_that_holds_what_tells_siblings_apart_is_named_and_one_that_does_not_is_not() -> None:
    assert named(NEW[: len(NEW) * 2 // 3]) == "new"
    assert recognise("\n\n".join(BODY[:5]), KNOWN) == Abstained(
        "what would tell them apart is not in the text", ("new", "old")
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too few"),
        ("See https://example.com/LICENSE", "too few"),
        (" ".join(f"word{n} of quite another page" for n in range(200)), "resembles no licence"),
        (NEW.replace("700 million", "500 million"), "500"),
        (NEW.replace("must be asked", "must not be asked"), "not"),
        (NEW.replace(BODY[8], " ".join(reversed(BODY[8].split()))), "% of it differ"),
        (NEW.replace(BODY[8], ""), "% of it differ"),
    ],
)
def test_what_is_no_licence_or_a_changed_one_gets_no_name(text: str, reason: str) -> None:
    got = recognise(text, KNOWN)
    assert isinstance(got, Abstained)
    assert reason in got.reason


OTHER = "\n\n".join(" ".join(RNG.choices([*WORDS, "other", "else"], k=60)) for _ in range(4))


@pytest.mark.parametrize("text", [f"{NEW}\n\n{OTHER}", f"{OTHER}\n\n{NEW}"])
def test_a_text_of_two_licences_gets_no_name_and_is_near_to_both(text: str) -> None:
    got = recognise(text, (*KNOWN, fingerprint("other", "", "", runs_of(words_of(OTHER)))))
    assert got == Abstained("it holds more than one licence", ("new", "other"))


def test_much_beside_a_licence_takes_its_name_and_a_greeting_does_not() -> None:
    page = " ".join(f"word{number}" for number in range(100))
    assert named(f"{NEW}\n\n{page[:120]}") == "new"
    got = recognise(f"{NEW}\n\n{page}", KNOWN)
    assert isinstance(got, Abstained)
    assert "100 words beside a licence" in got.reason


def test_a_standard_licence_with_another_one_behind_it_gets_no_name() -> None:
    own = (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")
    got = recognise(f"{PERMISSION}\n\n{own}")
    assert isinstance(got, Abstained)
    assert got.reason == "it holds more than one licence"
    assert {"apache-2.0", "mit"} <= {*got.nearest}


@pytest.mark.parametrize(("by", "words"), [("may", ("may",)), ("", ())])
def test_a_word_that_was_changed_or_left_out_is_counted(by: str, words: tuple[str, ...]) -> None:
    got = recognise(NEW.replace("must be asked", f"{by} be asked"), KNOWN)
    assert isinstance(got, Recognised)
    assert (got.places, got.words) == (1, words)


def test_whose_copyright_it_is_makes_no_difference_and_what_is_put_into_that_line_does() -> None:
    blank = NEW.replace(BODY[8], f"Copyright [yyyy] [name of the holder] {BODY[8]}")
    known = (fingerprint("new", "", "", runs_of(words_of(blank))),)
    for line, name in (("2024 Some House", "new"), ("2021-2025 Some House, not for commercial use", "")):
        got = recognise(blank.replace("[yyyy] [name of the holder]", line), known)
        assert (got.licence if isinstance(got, Recognised) else "") == name
        assert not isinstance(got, Recognised) or got.places == 0


def test_this_projects_own_licence_is_named() -> None:
    got = recognise((Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8"))
    assert isinstance(got, Recognised)
    assert got.licence == "apache-2.0"


def test_fingerprints_say_what_they_were_made_from() -> None:
    assert len({one.licence for one in fingerprints()}) > 45
    assert all(one.source and one.as_of for one in fingerprints())
