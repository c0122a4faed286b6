"""Whatever is given as a study, and wherever a sound one is hurt: a study or words, and words only where it helps."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.usecase import UseCase
from steelyard.usecase.load import MAX_BYTES, load_study

SOUND: dict[str, Any] = {
    "name": "inbox",
    "question": "Which?",
    "data": {"file": "inbox.jsonl", "input": "message", "target": "intent", "test": "40%", "seed": 7, "max_test": 240},
    "task": {"kind": "classification", "prompt": "Message: {message}\nIntent:", "shots": [0, 12], "calibration": "pmi"},
    "use": {
        "purpose": "product",
        "commercial": True,
        "already": ["registered"],
        "organisation": {"kind": "company", "domicile": "DE", "annual_revenue_usd": 12_000_000},
        "users": {"territories": ["DE"], "monthly_active": 1000, "monthly_active_at": {"2024-09-25": 15_000}},
    },
    "privacy": {"class": "internal", "may_send_to": "any"},
    "allow_ways": ["api", "self-hosted"],
    "workload": {"requests_per_day": 20_000, "growth_per_month": "6%", "horizon_months": 36},
    "require": {"accuracy": ">= 0.60", "latency_p95": "<= 800 ms"},
    "prefer": {"quality": 3, "cost": 1},
    "candidates": ["linear", {"id": "compatible:m", "base_url": "http://127.0.0.1/v1", "options": {"concurrency": 2}}],
}
NUMBERS = [-1, 0, 1, 2, 40, 2**31, 2**32, 2**63, 10**39, 10**400, -0.5, 0.4, 1.5, 1e-300, 1e30, 1e300, True, False]
TEXTS = [
    "",
    " ",
    "40%",
    "101%",
    "-1%",
    "NaN",
    ".inf",
    ">= 1",
    "<= 1e999 ms",
    "{message}",
    "{}",
    "a b",
    "linear",
    "auto",
]
TEXTS += ["x" * 5000, "../..", ".", "/dev/zero", "inbox.jsonl", "a\0b", "\x1b[31m", "\u202e", "\U0001f600", "=1", "né"]
JUNK = st.sampled_from([None, [], {}, *NUMBERS, *TEXTS]) | st.text(max_size=8)
VALUES = st.recursive(
    JUNK, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2)
)


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in the study but the whole."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*place, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*place, key))


def hurt(study: dict[str, Any], place: tuple[str | int, ...], how: str, value: object) -> None:
    """Change one place, if earlier wounds have left it there."""
    around: Any = study
    for step in place[:-1]:
        if step not in (around if isinstance(around, dict) else range(len(around)) if isinstance(around, list) else ()):
            return
        around = around[step]
    last: Any = place[-1]
    if isinstance(around, list) and last in range(len(around)):
        around[last] = value
    elif isinstance(around, dict) and last in around:
        if how != "replace":
            removed = around.pop(last)
        if how != "remove":
            around[last if how == "replace" else f"{last}{value}"] = value if how == "replace" else removed


WOUNDS = st.tuples(
    st.sampled_from(sorted(places(SOUND), key=repr)), st.sampled_from(["replace", "remove", "rename"]), VALUES
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WOUNDS, min_size=1, max_size=3), st.booleans())
def test_a_sound_study_hurt_anywhere_is_a_study_or_a_list_of_mistakes(
    tmp_path: Path, wounds: list[tuple[tuple[str | int, ...], str, object]], as_json: bool
) -> None:
    study = copy.deepcopy(SOUND)
    for place, how, value in wounds:
        hurt(study, place, how, value)
    (tmp_path / "inbox.jsonl").touch()
    text = json.dumps(study) if as_json else yaml.safe_dump(study, allow_unicode=True)
    (tmp_path / "study.yaml").write_text(text, "utf-8")
    try:
        assert isinstance(load_study(tmp_path), UseCase)
    except InputError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.where.startswith("study.yaml")
            assert len(str(problem)) < 2000
            str(problem).encode()


def test_the_study_that_is_hurt_is_sound(tmp_path: Path) -> None:
    (tmp_path / "inbox.jsonl").touch()
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(SOUND))
    assert load_study(tmp_path).name == "inbox"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.yaml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "it is no file"),
        (lambda file: file.mkdir(), "it is no file"),
        (lambda file: file.symlink_to("/dev/zero"), "it is no file"),
        (lambda file: file.symlink_to(file.name), "symbolic links"),
        (lambda file: file.symlink_to("nowhere"), "there is no study"),
        (lambda file: file.write_text("#" * (MAX_BYTES + 1)), "too large"),
        (lambda file: file.write_bytes(b""), "the file is empty"),
        (lambda file: file.write_bytes("name: für".encode("latin-1")), "study.yaml:1: not UTF-8"),
        (lambda file: file.write_bytes("name: x".encode("utf-16")), "save the file as UTF-8"),
        (lambda file: file.write_text('name: "\\ud800"'), "study.yaml:1: '\\ud800' holds half a character"),
        (lambda file: file.write_text("name: x\n" + "-" * 9), "study.yaml:2"),
    ],
)
def test_what_is_no_study_file_is_refused_before_it_can_do_harm(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "study.yaml")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "nowhere/study.yaml", "inbox.jsonl"])
def test_a_path_that_cannot_be_a_study_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        load_study(tmp_path / name)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "no regular file"),
        (lambda file: file.mkdir(), "it is a folder"),
        (lambda file: file.symlink_to("/dev/zero"), "no regular file"),
        (lambda file: file.symlink_to(file.name), "symbolic links"),
        (lambda file: None, "there is no file 'inbox.jsonl'"),
    ],
)
def test_what_is_no_data_file_is_refused_before_it_is_read(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(SOUND))
    make(tmp_path / "inbox.jsonl")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    (problem,) = caught.value.problems
    assert said in problem.what
    assert problem.where.startswith("study.yaml:")


def test_a_link_into_a_store_of_blobs_is_read_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c").write_text("{}\n")
    (tmp_path / "inbox.jsonl").symlink_to("0a1b2c")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(SOUND))
    file = load_study(tmp_path).data.file
    assert file is not None
    assert file.name == "inbox.jsonl"


def test_a_link_to_the_training_data_seals_nothing(tmp_path: Path) -> None:
    (tmp_path / "inbox.jsonl").touch()
    (tmp_path / "test.jsonl").symlink_to("inbox.jsonl")
    data = {"train": "inbox.jsonl", "test": "test.jsonl", "input": "message", "target": "intent"}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(SOUND | {"data": data}))
    with pytest.raises(InputError, match="the same file"):
        load_study(tmp_path)
