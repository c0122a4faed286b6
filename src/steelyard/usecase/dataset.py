"""Samples and datasets: what the readers and the splitter give, frozen and fingerprinted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NO_SLICES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Sample:
    """One input with its target; slots, because there may be a million. `row` is the 1-based line in its file.

    `sha256` is of (input, target): the content that enters the journal key.
    """

    id: str
    input: str
    target: str
    sha256: str
    row: int
    file: str
    cluster: str = ""
    language: str = ""
    slices: Mapping[str, str] = field(default_factory=lambda: NO_SLICES)

    @property
    def parts(self) -> Mapping[str, str]:
        """The slices it belongs to, its language included."""
        return {"language": self.language, **self.slices} if self.language else self.slices


@dataclass(frozen=True)
class OddRow:
    """A row that could not be used (or only with a change), and why. Nothing is dropped silently."""

    file: str
    row: int
    reason: str
    used: bool


@dataclass(frozen=True)
class Leak:
    """The same (or nearly the same) input stands in dev and in test. `similarity` 1.0 is an exact duplicate."""

    dev_id: str
    test_id: str
    similarity: float


@dataclass(frozen=True)
class Dataset:
    """Dev for choosing and fitting, test sealed for measuring. `labels`: all targets, sorted.

    `fingerprint` is a SHA-256 over all samples and their split.
    """

    dev: tuple[Sample, ...]
    test: tuple[Sample, ...]
    labels: tuple[str, ...]
    fingerprint: str
    odd_rows: tuple[OddRow, ...] = ()
    leaks: tuple[Leak, ...] = ()
