"""A study in a temporary folder, whose text each test may change in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from steelyard.errors import InputError, Problem
from steelyard.usecase import UseCase
from steelyard.usecase.load import load_study

STUDY = """\
name: inbox
data: {file: inbox.jsonl, input: message, target: intent, test: 40%}
task: {kind: classification, prompt: "Message: {message}"}
use:
  purpose: product
  commercial: true
privacy: {class: public}
workload: {requests_per_day: 20_000}
require: {accuracy: ">= 0.60"}
prefer: [quality, cost]
candidates:
  - linear
  - smollm2-135m-instruct
"""

Load = Callable[..., UseCase]
Fail = Callable[..., dict[str, Problem]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load the study after replacing one text by another (any number of pairs)."""

    def loaded(*pairs: tuple[str, str]) -> UseCase:
        text = STUDY
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "inbox.jsonl").write_text('{"message": "hello", "intent": "greeting"}\n')
        (tmp_path / "study.yaml").write_text(text)
        return load_study(tmp_path)

    return loaded


@pytest.fixture
def fail(load: Load) -> Fail:
    """The mistakes of the changed study by their place ("study.yaml:12 (use.purpose)")."""

    def failed(*pairs: tuple[str, str]) -> dict[str, Problem]:
        with pytest.raises(InputError) as caught:
            load(*pairs)
        return {problem.where: problem for problem in caught.value.problems}

    return failed
