"""Uses that a reader labelled from the licence texts, judged in one batch. A label is changed only with the text."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.licences import Verdict
from steelyard.licences.batch import judge_text
from steelyard.licences.load import load_licences

TODAY = date(2026, 11, 24)
LABEL = ("expect", "section", "why", "missing")


@dataclass(frozen=True)
class Case:
    """One line of a batch with its label. `missing`: facts that were not said and that decide."""

    id: str
    line: dict[str, Any]
    expect: str
    section: str
    missing: tuple[str, ...]


def read_cases() -> list[Case]:
    cases = []
    for path in sorted(Path(__file__).parent.glob("cases_*.toml")):
        file = tomllib.loads(path.read_text("utf-8"))
        for number, row in enumerate(file["cases"], 1):
            missing = tuple(row.get("missing", ()))
            line = {key: value for key, value in (file.get("given", {}) | row).items() if key not in LABEL}
            line = {key: value for key, value in line.items() if key not in missing}
            terms = row.get("licence") or row.get("licence_expression") or row.get("model")
            cases.append(Case(f"{path.stem}-{number}-{terms}", line, row["expect"], row["section"], missing))
    return cases


CASES = read_cases()


@cache
def verdicts() -> dict[str, Verdict]:
    """Every case judged as a batch judges its lines."""
    catalogue, licences = load_catalogue(), load_licences()
    return {case.id: judge_text(json.dumps(case.line), TODAY, catalogue, licences) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_verdict_is_what_the_text_says(case: Case) -> None:
    found = verdicts()[case.id]
    assert found.status == case.expect, (case.section, found.reasons, found.questions)


@pytest.mark.parametrize("case", [case for case in CASES if case.missing], ids=lambda case: case.id)
def test_a_deciding_fact_that_was_not_said_is_asked_for(case: Case) -> None:
    assert verdicts()[case.id].questions, case.section


def test_there_are_cases_enough_and_of_every_kind() -> None:
    assert len(CASES) >= 120
    for status in ("allowed", "conditional", "forbidden"):
        assert sum(case.expect == status for case in CASES) >= len(CASES) / 6, status
    assert sum(bool(case.missing) for case in CASES) >= len(CASES) / 10


def test_no_forbidden_use_and_none_with_a_deciding_fact_missing_is_judged_allowed() -> None:
    wrong = [case.id for case in CASES if case.expect == "forbidden" or case.missing]
    assert [id for id in wrong if verdicts()[id].status == "allowed"] == []


@pytest.mark.parametrize("status", ["forbidden", "allowed"])
def test_nineteen_of_twenty_clear_cases_are_judged_clearly(status: str) -> None:
    clear = [case for case in CASES if case.expect == status]
    right = [case for case in clear if verdicts()[case.id].status == status]
    assert len(right) >= 0.95 * len(clear)
