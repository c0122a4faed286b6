"""From data files to a Dataset: read, check, split, fingerprint; every oddity of a row is reported with its number."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from steelyard.catalogue.ids import nearest
from steelyard.errors import InputError, Problem
from steelyard.usecase.case import DataSpec
from steelyard.usecase.dataset import NO_SLICES, Dataset, OddRow, Sample
from steelyard.usecase.leaks import find_leaks, normalised
from steelyard.usecase.records import NOT_UTF8, Record, read_records, why_unused
from steelyard.usecase.split import split, thin

FEW_LABELS = 20
SHOWN_COLUMNS = 30


def load_dataset(spec: DataSpec) -> Dataset:
    """Read and split the data of a study.

    Raises InputError where no measurement would make sense: a column that does not exist, no usable row, one label
    only or nearly one a row, nothing left on one side, nothing sealed. Everything less is an OddRow or a Leak.
    """
    if spec.file is not None and spec.test_share is not None:
        samples, odd = _samples(spec.file, spec, "row")
        samples, renamed = _unique_ids(samples)
        odd += renamed
        _enough(samples, spec.file.name, odd)
        dev, test = split(samples, spec.test_share, spec.seed)
    elif spec.train is not None and spec.test is not None:
        train_samples, odd = _samples(spec.train, spec, "train-row")
        test_samples, odd_test = _samples(spec.test, spec, "test-row")
        samples, renamed = _unique_ids([*train_samples, *test_samples])
        odd += [*odd_test, *renamed]
        _enough(samples, f"{spec.train.name} and {spec.test.name}", odd)
        dev, test = samples[: len(train_samples)], samples[len(train_samples) :]
    else:
        raise ValueError("a DataSpec needs a file and a share, or a train and a test file")
    dev, test = thin(dev, spec.max_dev, spec.seed, cover=True), thin(test, spec.max_test, spec.seed)
    for side, name in ((dev, "choosing on (dev)"), (test, "testing")):
        if not side:
            what = f"of {len(samples)} usable rows none is left for {name}"
            next_step = "add rows, or change the share `test`; rows of one cluster or with equal inputs stay together"
            raise InputError(Problem("data-too-few", what, allowed=why_unused(odd), next_step=next_step))
    leaks = find_leaks(dev, test)
    if spec.train is not None and sum(leak.similarity == 1 for leak in leaks) == len(test):
        what, next_step = (
            "every test input also stands in `train`: nothing is sealed",
            "keep the test rows out of `train`",
        )
        raise InputError(Problem("study-data-files", what, next_step=next_step))
    return Dataset(
        dev=tuple(dev),
        test=tuple(test),
        labels=tuple(sorted({sample.target for sample in (*dev, *test)})),
        fingerprint=_fingerprint(dev, test),
        odd_rows=(*_lookalikes([*dev, *test]), *odd, *_unseen_labels(dev, test)),
        leaks=leaks,
    )


def _samples(file: Path, spec: DataSpec, unnamed: str) -> tuple[list[Sample], list[OddRow]]:
    """Usable samples in file order, and the odd rows. `unnamed` is what a row without an id is called."""
    named = [spec.input, spec.target, spec.id, spec.cluster, spec.language, *spec.slices]
    wanted = tuple(dict.fromkeys(column for column in named if column))
    records = read_records(file, wanted)
    if missing := [column for column in wanted if column not in records.columns]:
        raise InputError(list(dict.fromkeys(_no_column(column, file.name, records.columns) for column in missing)))
    odd = list(records.odd_rows)
    samples: list[Sample] = []
    for record in records.rows:
        sample, reasons = _sample(record, spec, file.name, unnamed)
        odd += [OddRow(file.name, record.row, reason, used=sample is not None) for reason in reasons]
        samples += [sample] if sample is not None else []
    return samples, odd


def _no_column(column: str, file: str, columns: tuple[str, ...]) -> Problem:
    if any(NOT_UTF8.search(name) or "\0" in name for name in columns):
        what, next_step = "the header is not text in UTF-8", "save the file as UTF-8"
        return Problem("data-format", what, file, next_step=next_step)
    what = f"no row has the column {column!r}{nearest(column, columns[:SHOWN_COLUMNS])}"
    names = [name if name.isprintable() else repr(name) for name in columns[:SHOWN_COLUMNS]]
    more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
    next_step = "correct the column's name in the study file"
    return Problem("data-no-column", what, file, allowed=", ".join(names) + more, next_step=next_step)


def _sample(record: Record, spec: DataSpec, file: str, unnamed: str) -> tuple[Sample | None, list[str]]:
    """The sample, or None, and all that is odd about the row."""
    values = record.values
    reasons = [f"{column!r} is empty" for column in (spec.input, spec.target) if _blank(values.get(column, ""))]
    reasons += [
        f"{column!r} holds a NUL character" for column in (spec.input, spec.target) if "\0" in values.get(column, "")
    ]
    if reasons:
        return None, reasons
    written = values[spec.target]
    target = unicodedata.normalize("NFC", written.strip())
    if target != written.strip():
        reasons.append(f"{written.strip()!r} was put into the usual Unicode form (NFC)")
    elif target != written:
        reasons.append(f"white space around {target!r} was removed")
    name = values.get(spec.id, "").strip() if spec.id else f"{unnamed}-{record.row}"
    if not name:
        name = f"{unnamed}-{record.row}"
        reasons.append(f"{spec.id!r} is empty: called {name}")
    sample = Sample(
        id=name,
        input=values[spec.input],
        target=target,
        sha256=hashlib.sha256(f"{values[spec.input]}\0{target}".encode()).hexdigest(),
        row=record.row,
        file=file,
        cluster=values.get(spec.cluster, "") if spec.cluster else "",
        language=values.get(spec.language, "") if spec.language else "",
        slices={column: values.get(column, "") for column in spec.slices} or NO_SLICES,
    )
    return sample, reasons


def _unique_ids(samples: Sequence[Sample]) -> tuple[list[Sample], list[OddRow]]:
    """The first sample keeps its id; the next ones get ~2, ~3, ..."""
    taken = {sample.id for sample in samples}
    seen: Counter[str] = Counter()
    unique: list[Sample] = []
    odd: list[OddRow] = []
    for sample in samples:
        seen[sample.id] += 1
        name = sample.id
        if seen[sample.id] > 1:
            while (name := f"{sample.id}~{seen[sample.id]}") in taken:
                seen[sample.id] += 1
            taken.add(name)
            odd.append(OddRow(sample.file, sample.row, f"the id {sample.id!r} is taken: called {name}", used=True))
        unique.append(replace(sample, id=name))
    return unique, odd


def _blank(text: str) -> bool:
    """Nothing of it can be seen: white space, zero-width and control characters only."""
    return not any(sign.isprintable() and not sign.isspace() for sign in text)


def _enough(samples: Sequence[Sample], where: str, odd: Sequence[OddRow]) -> None:
    labels = {sample.target for sample in samples}
    unused = f" ({why_unused(odd)})" if why_unused(odd) else ""
    if len(samples) < 2:
        what = f"{len(samples) or 'no'} usable row{'' if len(samples) == 1 else 's'}{unused}"
        raise InputError(Problem("data-too-few", what, where, "2 rows or more", "add labelled rows"))
    if len(labels) < 2:
        what = f"every usable row has the same target {labels.pop()!r}{unused}: there is nothing to tell apart"
        raise InputError(Problem("data-one-label", what, where, next_step="name another target column, or add rows"))
    if len(labels) > max(FEW_LABELS, len(samples) // 2):
        what = f"the target has {len(labels)} different values in {len(samples)} usable rows: free text, not labels"
        next_step = "name the column with the closed set of labels"
        raise InputError(Problem("data-free-text", what, where, "2 rows or more a label", next_step))


def _unseen_labels(dev: Sequence[Sample], test: Sequence[Sample]) -> list[OddRow]:
    """One odd row for each label that is tested but never shown."""
    shown = {sample.target for sample in dev}
    first: dict[str, Sample] = {}
    for sample in test:
        if sample.target not in shown:
            first.setdefault(sample.target, sample)
    return [
        OddRow(sample.file, sample.row, f"the label {label!r} is tested but does not occur in dev", used=True)
        for label, sample in first.items()
    ]


def _lookalikes(samples: Sequence[Sample]) -> list[OddRow]:
    """One odd row for each label that another, commoner one differs from in case, punctuation or white space only."""
    common: dict[str, str] = {}
    firsts = {sample.target: sample for sample in reversed(samples)}
    odd: list[OddRow] = []
    for label, count in Counter(sample.target for sample in samples).most_common():
        other = common.setdefault(normalised(label), label)
        if other != label:
            first = firsts[label]
            reason = f"the label {label!r} ({count} rows) looks like {other!r}, but counts as another one"
            odd.append(OddRow(first.file, first.row, reason, used=True))
    return odd


def _fingerprint(dev: Sequence[Sample], test: Sequence[Sample]) -> str:
    rows = [f"{side}\0{s.id}\0{s.sha256}" for side, samples in (("dev", dev), ("test", test)) for s in samples]
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()
