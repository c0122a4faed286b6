"""lock.json: exactly what was run, so that a result can be repeated and its winner served as it was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from steelyard.errors import InputError, Problem
from steelyard.files import write_whole
from steelyard.trials.classify import RunSettings
from steelyard.trials.run import Trialled
from steelyard.usecase import Dataset, UseCase

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
    """A run: study and data by fingerprint, seed, versions, candidates. `artefact` paths are relative to the folder.

    `made_at` is that of the decision of the same run.
    """

    made_at: str
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


def lock_of(case: UseCase, data: Dataset, trialled: Trialled, versions: Mapping[str, str], made_at: str) -> Lock:
    """The lock of a finished run."""
    ran = []
    for name, settings in trialled.settings.items():
        contender = trialled.contenders[name]
        made = contender.candidate.artefact
        artefact = str(made.relative_to(case.output)) if made else ""
        digest = contender.candidate.artefact_sha256
        ran.append(Ran(name, settings, contender.target.weights_sha256, artefact, digest))
    return Lock(made_at, case.name, file_sha256(case.file), data.fingerprint, case.data.seed, versions, tuple(ran))


def file_sha256(file: Path) -> str:
    """Hexadecimal digest of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def save_lock(lock: Lock, folder: Path) -> None:
    """Write lock.json at once or not at all."""
    write_whole(folder / FILE, _LOCK.dump_json(lock, indent=2))


def load_lock(folder: Path, made_at: str) -> Lock:
    """The lock of the run whose decision was made then; a run that was killed at its end left that of another."""
    path = folder / FILE
    try:
        lock = _LOCK.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise _no_lock(path, "missing or damaged") from None
    if lock.made_at != made_at:
        raise _no_lock(path, "of another run than the decision beside it")
    return lock


def _no_lock(path: Path, why: str) -> InputError:
    step = "run `steelyard run` on the study again; what was measured is kept"
    return InputError(Problem("no-lock", f"{path} is {why}", next_step=step))
