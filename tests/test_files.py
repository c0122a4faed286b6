"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard.errors import NotWritable
from steelyard.files import hold, write_whole


def test_content_is_replaced_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_whole(file, b"old")
    write_whole(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "result.json"
    write_whole(file, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NotWritable, match="no space"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".result[1].json.{dead.pid}").write_bytes(b"half")
    living = tmp_path / f".result[1].json.{os.getppid()}"
    living.write_bytes(b"half")
    write_whole(tmp_path / "result[1].json", b"new")
    assert set(tmp_path.iterdir()) == {tmp_path / "result[1].json", living}


HOLDER = """
import sys
from pathlib import Path
from steelyard.files import hold
with hold(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_file_is_held_by_one_process_until_that_ends_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "made" / "run.lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(NotWritable, match=rf"busy \(process {other.pid} on .+, since \d{{4}}-.+ UTC\)"),
            hold(path, "busy"),
        ):
            raise AssertionError("held twice")
        other.send_signal(signal.SIGKILL)
    with hold(path, "busy"):
        assert f"process {os.getpid()} on" in path.read_text()


def test_whoever_may_wait_is_told_for_whom_and_begins_when_the_other_has_let_go(tmp_path: Path) -> None:
    path = tmp_path / "weights.lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    said: list[str] = []

    def wait(sentence: str) -> None:
        said.append(sentence)
        assert other.stdin is not None
        other.stdin.close()

    with other:
        assert other.stdout is not None
        other.stdout.readline()
        with hold(path, "another process fetches them", wait=wait):
            assert other.wait() == 0
    assert f"process {other.pid}" in said[0]


def test_a_file_that_cannot_be_made_cannot_be_held(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(NotWritable, match="cannot be written: File exists"),
        hold(tmp_path / "file" / "lock", "busy"),
    ):
        raise AssertionError("held")
