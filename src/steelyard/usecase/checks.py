"""Checks that need two places of a study file: run on the raw data, so that they speak up beside other mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from steelyard.catalogue.ids import nearest
from steelyard.errors import Problem
from steelyard.usecase.lines import Data, Place
from steelyard.usecase.records import READABLE

Finding = tuple[Place, Problem]
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w-]*)\}")


def cross_checks(study: Data, folder: Path) -> Iterator[Finding]:
    """All findings, each with its place. Anything of the wrong type is passed over: the schema reports it."""
    if not isinstance(study, dict):
        return
    data, task = study.get("data"), study.get("task")
    if isinstance(data, dict):
        yield from _files(data, folder)
    if isinstance(data, dict) and isinstance(task, dict):
        yield from _prompt(task.get("prompt"), data)
    yield from _repeated(study.get("candidates"))


def _files(data: dict[str, Data], folder: Path) -> Iterator[Finding]:
    file, train, test = data.get("file"), data.get("train"), data.get("test")
    if (file is None) == (train is None):
        what = "both `file` and `train` are given" if file is not None else "neither `file` nor `train` is given"
        allowed = "{file: FILE, test: 40%} or {train: FILE, test: FILE}"
        yield ("data",), Problem("study-data-files", what, allowed=allowed)
    named = {"file": file, "train": train} | ({"test": test} if train is not None and file is None else {})
    for key, value in named.items():
        if isinstance(value, str) and value and (problem := _readable(folder / value, value)):
            yield ("data", key), problem
    if isinstance(train, str) and train and isinstance(test, str) and _same(folder / train, folder / test):
        what, next_step = "`train` and `test` are the same file: nothing is sealed", "write {file: FILE, test: 40%}"
        yield ("data", "test"), Problem("study-data-files", what, next_step=next_step)
    if (column := data.get("input")) is not None and column == data.get("target"):
        yield ("data", "target"), Problem("study-data-files", "`input` and `target` are the same column")


def _readable(path: Path, written: str) -> Problem | None:
    if path.suffix.lower() not in READABLE:
        next_step = "export the data as JSONL (one JSON object a line) or CSV"
        return Problem(
            "data-format", f"{written!r} is of no known kind", allowed=", ".join(READABLE), next_step=next_step
        )
    fault = _fault(path)
    if not fault:
        return None
    beside = _beside(path.parent)
    if fault != "there is no such file":
        next_step = "name a file that can be read from its beginning to its end"
        return Problem("data-not-found", f"{written!r} cannot be read: {fault}", next_step=next_step)
    what = f"there is no file {written!r}{nearest(path.name, beside)}"
    next_step = "paths are relative to the study file's folder"
    return Problem("data-not-found", what, allowed=", ".join(beside[:8]), next_step=next_step)


def _fault(path: Path) -> str:
    """Why the file cannot be read, "" when it can."""
    try:
        if path.is_dir():
            return "it is a folder"
        path.stat()
        return "" if path.is_file() else "it is no regular file"
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return "there is no such file"
    except OSError as error:
        return str(error.strerror)


def _beside(folder: Path) -> tuple[str, ...]:
    """Names of the data files in a folder."""
    try:
        return tuple(sorted(path.name for path in folder.iterdir() if path.suffix.lower() in READABLE))
    except (OSError, ValueError):
        return ()


def _same(first: Path, second: Path) -> bool:
    try:
        return first == second or first.samefile(second)
    except (OSError, ValueError):
        return False


def _prompt(prompt: Data, data: dict[str, Data]) -> Iterator[Finding]:
    """The input's placeholder must be there, and no other: braces around anything but one word are plain text."""
    column = data.get("input")
    if not (isinstance(prompt, str) and prompt and isinstance(column, str) and column):
        return
    place = ("task", "prompt")
    if f"{{{column}}}" not in prompt:
        what = f"the prompt has no {{{column}}}, so no model would see the input"
        yield place, Problem("study-bad-prompt", what, next_step=f"put {{{column}}} where the input goes")
    for name in dict.fromkeys(_PLACEHOLDER.findall(prompt.replace(f"{{{column}}}", " "))):
        what = f"the prompt asks for {{{name}}}{nearest(name, (column,))}"
        if name == data.get("target"):
            what = f"{{{name}}} is the target: the prompt would give the answer away"
        yield place, Problem("study-bad-prompt", what, allowed=f"{{{column}}}", next_step="remove it")


def _repeated(candidates: Data) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, candidate in enumerate(candidates if isinstance(candidates, list) else []):
        name = candidate.get("id") if isinstance(candidate, dict) else candidate
        if not isinstance(name, str):
            continue
        if name in first:
            what = f"{name!r} stands twice (also candidates[{first[name]}])"
            next_step = "remove one, or tell them apart with #WEIGHTS, @REVISION or a route"
            yield ("candidates", number), Problem("study-duplicate-candidate", what, next_step=next_step)
        first.setdefault(name, number)
