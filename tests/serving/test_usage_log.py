"""The usage log survives what happens to files."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steelyard.quantities import Unknown
from steelyard.serving.usage_log import Record, UsageLog

WHY = Unknown("a test")
RECORD = Record(
    datetime(2026, 3, 1, tzinfo=UTC), "call-1", "inbox", "", "denied", 0.5, (), "internal", "", "0" * 64, WHY, WHY, WHY
)


def test_records_are_appended_also_after_the_file_was_moved_away(tmp_path: Path) -> None:
    log = UsageLog(tmp_path / "usage.jsonl")
    log.write(RECORD)
    log.write(RECORD)
    log.file.rename(tmp_path / "usage.old")
    log.write(RECORD)
    assert len((tmp_path / "usage.old").read_bytes().splitlines()) == 2
    assert len(log.file.read_bytes().splitlines()) == 1


def test_a_record_cut_short_is_an_error_and_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up takes a part of the line."""
    log = UsageLog(tmp_path / "usage.jsonl")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
        with pytest.raises(OSError, match="part of a record"):
            log.write(RECORD)
    log.write(RECORD)
    torn, whole = log.file.read_text().splitlines()
    assert torn == '{"schema_v'
    assert json.loads(whole)["call"] == "call-1"
