"""lock.json: exactly what was run, so that a result can be repeated and its winner served as it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from steelyard.errors import InputError, Problem
from steelyard.trials.classify import RunSettings

FILE = "lock.json"


@dataclass(frozen=True)
class Ran:
    """One candidate as it ran: settings from dev, weights and artefact by SHA-256."""

    candidate: str
    settings: RunSettings
    weights_sha256: str
    artefact: str
    artefact_sha256: str


@dataclass(frozen=True)
class Lock:
    """A run: study and data by fingerprint, seed, versions, candidates. `artefact` paths are relative to the folder."""

    study: str
    study_sha256: str
    data_fingerprint: str
    seed: int
    versions: Mapping[str, str]
    ran: tuple[Ran, ...]
    schema_version: str = "1.0"

    def find(self, candidate: str) -> Ran | None:
        """How this candidate ran, None when it did not."""
        return next((ran for ran in self.ran if ran.candidate == candidate), None)


_LOCK = TypeAdapter(Lock)


def save_lock(lock: Lock, folder: Path) -> None:
    """Write lock.json at once or not at all."""
    draft = folder / (FILE + ".part")
    draft.write_bytes(_LOCK.dump_json(lock, indent=2))
    draft.replace(folder / FILE)


def load_lock(folder: Path) -> Lock:
    """The lock of the last finished run."""
    path = folder / FILE
    try:
        return _LOCK.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            Problem(
                slug="no-lock",
                what=f"{path} is missing or damaged",
                next_step="run `steelyard run` on the study again; what was measured is kept",
            )
        ) from error
