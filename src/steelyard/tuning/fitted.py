"""What a recipe gives back, and how a fit that was made before is found again."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

from steelyard.files import write_whole
from steelyard.quantities import Seconds
from steelyard.usecase import Sample

Embed: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""Texts in, one vector a text out."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many texts are embedded."""


@dataclass(frozen=True)
class Fitted:
    """A classifier in a file. `seconds` is what making it took, embedding included, when it was made."""

    path: Path
    sha256: str
    seconds: Seconds
    description: str


@dataclass(frozen=True)
class _Note:
    """What stands beside the file, so that the file itself depends on the data alone."""

    sha256: str
    seconds: Seconds
    description: str


_NOTES = TypeAdapter(_Note)


def file_for(folder: Path, recipe: str, samples: Sequence[Sample], *ingredients: object) -> Path:
    """The name a fit on exactly these samples and ingredients has."""
    content = [recipe, [(sample.input, sample.target) for sample in samples], ingredients]
    return folder / f"{recipe}-{hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]}.npz"


def recall(path: Path) -> Fitted | None:
    """The fit in this file, if it was finished and is unharmed."""
    try:
        note = _NOTES.validate_json(_note_path(path).read_bytes())
        whole = hashlib.sha256(path.read_bytes()).hexdigest() == note.sha256
    except (OSError, ValidationError):
        return None
    return Fitted(path, note.sha256, note.seconds, note.description) if whole else None


def record(path: Path, seconds: float, description: str) -> Fitted:
    """Note down that the file is finished."""
    note = _Note(hashlib.sha256(path.read_bytes()).hexdigest(), Seconds(seconds), description)
    write_whole(_note_path(path), _NOTES.dump_json(note))
    return Fitted(path, note.sha256, note.seconds, note.description)


def _note_path(path: Path) -> Path:
    return path.with_suffix(".json")
