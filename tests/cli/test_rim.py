"""What happens at the edge of the program: streams that fail, errors that nobody foresaw, words explained."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from rich.console import Console
from tests.test_structure import slugs

from steelyard import cli
from steelyard.cli import rim
from steelyard.cli.progress import Lines, watcher
from steelyard.cli.say import Patient, say, say_json

FULL = "/dev/full"
STEELYARD = f"{sys.executable} -m steelyard"


def leave(verb: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(cli, "app", click.command()(verb))
    with pytest.raises(SystemExit) as left:
        cli.main([])
    return int(left.value.code or 0)


@pytest.mark.skipif(not Path(FULL).exists(), reason=f"needs {FULL}")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (f"(sleep 0.2; {STEELYARD} explain no-winner) | true; exit ${{PIPESTATUS[0]}}", 141, ""),
        (f"{STEELYARD} explain no-winner > {FULL}", 2, "cannot be written to standard output: No space left"),
        (f"{STEELYARD} --help > {FULL}", 2, "cannot be written to standard output: No space left"),
        (f"{STEELYARD} explain no-word 2> {FULL}", 2, ""),
        (f"{STEELYARD} explain no-winner >&- 2>&- <&-", 0, ""),
        (f"PYTHONIOENCODING=latin-1 {STEELYARD} explain bad-📦-word", 2, r"'bad-\U0001f4e6-word'"),
        (f"PYTHONIOENCODING=latin-1 {STEELYARD} licence list | grep -c .; exit ${{PIPESTATUS[0]}}", 0, ""),
        (f"cd $(mktemp -d) && rmdir $PWD && {STEELYARD} explain no-winner", 0, ""),
    ],
    ids=["reader left", "stdout full", "help full", "stderr full", "all closed", "emoji", "signs", "deleted folder"],
)
def test_a_stream_that_fails_is_told_if_it_can_be_and_never_a_traceback(command: str, code: int, said: str) -> None:
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    told = done.stderr.decode()
    assert (done.returncode, "Traceback" in told or "Exception" in told) == (code, False), told
    assert said in told and bool(told) == bool(said)


def test_a_closed_stream_does_not_lend_its_number_to_a_file(tmp_path: Path) -> None:
    """Else whatever a library prints would stand in the journal."""
    code = "import sys, os; from steelyard.cli.rim import prepare_process as p; p(); sys.exit(os.open(sys.argv[1], 64))"
    command = f"{sys.executable} -c '{code}' {tmp_path / 'file'} >&- 2>&- <&-"
    assert subprocess.run(["bash", "-c", command], check=False).returncode > 2


def mistake(error: Exception) -> Callable[[], None]:
    def verb() -> None:
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TypeError("of my data"), r"this is a bug in Steelyard: TypeError in steelyard/cli/__init__.py, line \d+"),
        (RecursionError(), "this is a bug in Steelyard: RecursionError in"),
        (MemoryError(), "this machine has no memory left"),
        (PermissionError(errno.EACCES, "Permission denied", "/a\x1bb"), r"/a\\x1bb: the operating system says: Perm"),
        (OSError(errno.EMFILE, "Too many open files"), "the operating system says: Too many open files"),
    ],
)
def test_what_nobody_foresaw_is_one_message_that_says_what_is_kept(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert leave(mistake(error), monkeypatch) == 1
    told = capsys.readouterr().err
    assert re.search(said, told)
    assert "what was measured is kept" in told
    assert "of my data" not in told and "Traceback" not in told
    assert isinstance(error, MemoryError) or str(next(tmp_path.iterdir())) in told


def test_warnings_and_other_libraries_logs_are_not_for_the_user(tmp_path: Path) -> None:
    code = """
import asyncio, logging, warnings
from steelyard.cli.rim import log_to_stderr, prepare_process
prepare_process(); log_to_stderr()
warnings.warn("noise", RuntimeWarning)
logging.getLogger("asyncio").error("noise")
class Noise:
    def __del__(self): raise ValueError("noise")
Noise()
logging.getLogger("steelyard.serving").warning("of \\x1b[2J interest")
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHONWARN")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stderr == "WARNING steelyard.serving: of \\x1b[2J interest\n"
    loud = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env | {rim.DEBUG: "1"}
    )
    assert loud.stderr.count("noise") >= 3


def test_every_word_is_explained_and_others_are_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    def explain(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["explain", *words])
        return (int(left.value.code or 0), *capsys.readouterr())

    code, listed, _ = explain()
    assert (code, set(listed.split())) == (0, slugs())
    assert explain("no-winner")[1].startswith("There is a decision, but no candidate passed")
    code, _, told = explain("no-winer")
    assert (code, "did you mean 'no-winner'?" in told) == (2, True)


def test_what_is_said_steers_no_terminal(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Not through JSON either, which stays the same document."""
    hostile = "\x1b]0;title\x07\x1b[2J\x9b2J\x7f\u202e\u2066\u200b\ue000 📦 👩\u200d💻"
    say(hostile)
    say_json(json.dumps({"a": hostile}, ensure_ascii=False).encode())
    plain, document = capsysbinary.readouterr().out.decode().splitlines()
    for line in (plain, document):
        assert line.isprintable() or line.replace("\u200d", "").isprintable()
        assert "📦 👩\u200d💻" in line
    assert json.loads(document) == {"a": hostile}


def test_progress_that_cannot_be_told_costs_no_run() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "full")

        def flush(self) -> None:
            self.write("")

    lines = Lines(Console(file=Patient(Broken())))  # type: ignore[arg-type]
    lines.phase("linear", "test", 1, 2)


def test_a_candidates_name_is_no_markup_and_no_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal with bars, on one without, and where there is none."""
    for term, bars in (("xterm", True), ("dumb", False)):
        stream = io.StringIO()
        stream.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", term)
        with watcher(None) as watching:  # type: ignore[arg-type]
            watching.phase("compatible:[/red]\x1b]0;x\x07\u202e", "test", 1, 2)
        told = stream.getvalue()
        assert (type(watching).__name__ == "Bars") == bars
        assert r"compatible:[/red]\x1b]0;x\x07\u202e: answering" in told
        assert "\x1b]0" not in told and "\x07" not in told and "\u202e" not in told


def test_all_that_is_printed_goes_through_one_place() -> None:
    """`report` writes Markdown as it is: its texts are made harmless where the page is made."""
    files = sorted(Path(cli.__file__).parent.glob("*.py"))
    assert [path.name for path in files if re.search(r"click\.s?echo\(", path.read_text())] == ["report.py", "say.py"]
