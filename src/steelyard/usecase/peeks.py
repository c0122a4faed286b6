"""How often the sealed test set has been looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from steelyard.errors import InputError, Problem
from steelyard.files import write_whole
from steelyard.usecase.case import UseCase
from steelyard.usecase.dataset import Dataset

SCHEMA_VERSION = "1.0"


def peek(case: UseCase, dataset: Dataset, run_id: str) -> int:
    """Note that this run looks at the sealed test set; the number of runs that have, this one included.

    A resumed run keeps its id and is not counted again. The count belongs to the test samples' content: another
    dev set, or another study file in the folder, does not start it afresh.
    """
    file = case.output / "peeks.json"
    seen = _peeks(file)
    runs = seen.setdefault(_test_fingerprint(dataset), [])
    if run_id not in runs:
        runs.append(run_id)
        case.output.mkdir(exist_ok=True)
        write_whole(file, orjson.dumps({"schema_version": SCHEMA_VERSION, "runs": seen}, option=orjson.OPT_INDENT_2))
    return len(runs)


def _peeks(file: Path) -> dict[str, list[str]]:
    """Run ids by the test set's fingerprint. A file that cannot be read is an error: the count must not restart."""
    if not file.exists():
        return {}
    try:
        runs = orjson.loads(file.read_bytes())["runs"]
        return {str(fingerprint): [str(run) for run in ids] for fingerprint, ids in runs.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        next_step = "put the file back from a copy, or remove it and know that the count starts again"
        raise InputError(Problem("peeks-unreadable", "cannot be read", str(file), next_step=next_step)) from None


def _test_fingerprint(dataset: Dataset) -> str:
    return hashlib.sha256("\n".join(sorted(sample.sha256 for sample in dataset.test)).encode()).hexdigest()
