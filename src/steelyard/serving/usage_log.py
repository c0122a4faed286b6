"""Who asked for what, what answered, what it took: one JSON line a record, appended before the answer is released.

The line is in the operating system's hands when `write` returns, so a killed process loses no record of an answer
that went out; a power cut may. No content, only its SHA-256.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import orjson

from steelyard.providers.protocol import DataClass, Message, Usage
from steelyard.quantities import Money, Unknown

SCHEMA_VERSION = "1.0"

Outcome: TypeAlias = Literal["begun", "answered", "failed", "cut", "denied", "disconnected", "stopped"]


@dataclass(frozen=True)
class Step:
    """One target that was tried, and how it failed ("" = it answered).

    `usage` is what a failed try was billed for all the same: an answer that named none of the labels.
    """

    candidate: str
    fault: str = ""
    usage: Usage | None = None


@dataclass(frozen=True)
class Record:
    """One line. A stream has two with the same `call`: "begun" before its first piece, and how it ended.

    `answered_by` is "" when nobody did. `rule` is the privacy rule's sentence.
    """

    time: datetime
    call: str
    asked: str
    answered_by: str
    outcome: Outcome
    seconds: float
    steps: tuple[Step, ...]
    data_class: DataClass
    rule: str
    input_sha256: str
    output_sha256: str | Unknown
    usage: Usage | Unknown
    cost: Money | Unknown


class UsageLog:
    """An append-only file that only its owner can read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._torn = False

    def open(self) -> None:
        """Create the file if need be; OSError when it cannot be written."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        os.close(self._descriptor())

    def write(self, record: Record) -> None:
        """One write() at the end of the file. OSError when the record did not get there whole."""
        line = orjson.dumps(_fields(record)) + b"\n"
        descriptor = self._descriptor()
        try:
            if self._torn:
                line = b"\n" + line
            written = os.write(descriptor, line)
        finally:
            os.close(descriptor)
        self._torn = written < len(line)
        if self._torn:
            raise OSError(28, "only a part of a record was written")

    def _descriptor(self) -> int:
        return os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def sha256_of_messages(messages: tuple[Message, ...]) -> str:
    """Of the JSON array [[role, content], ...] in UTF-8 without spaces."""
    return hashlib.sha256(orjson.dumps([[m.role, m.content] for m in messages])).hexdigest()


def sha256_of_text(text: str) -> str:
    """Of the answer in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _fields(record: Record) -> dict[str, object]:
    usage = record.usage
    return {
        "schema_version": SCHEMA_VERSION,
        "time": record.time.isoformat(timespec="milliseconds"),
        "call": record.call,
        "asked": record.asked,
        "answered_by": record.answered_by,
        "outcome": record.outcome,
        "seconds": round(record.seconds, 6),
        "steps": [_step(step) for step in record.steps],
        "data_class": record.data_class,
        "rule": record.rule,
        "input_sha256": record.input_sha256,
        "output_sha256": _known(record.output_sha256),
        "usage": _known(usage) if isinstance(usage, Unknown) else usage,
        "cost_usd": _known(record.cost) if isinstance(record.cost, Unknown) else str(record.cost.usd),
    }


def _step(step: Step) -> dict[str, object]:
    billed = {} if step.usage is None else {"usage": step.usage}
    return {"candidate": step.candidate, "fault": step.fault, **billed}


def _known(value: str | Unknown) -> object:
    return {"unknown": value.reason} if isinstance(value, Unknown) else value
