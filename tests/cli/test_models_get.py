"""`steelyard models get --study` judges before it fetches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli import app
from steelyard.licences import Reason, Verdict


def study(folder: Path, *candidates: str) -> str:
    (folder / "data.jsonl").write_text('{"text": "a", "label": "b"}\n')
    content = {
        "name": "s",
        "question": "?",
        "data": {"file": "data.jsonl", "input": "text", "target": "label", "test": "40%"},
        "task": {"kind": "classification", "prompt": "{text}:"},
        "use": {"purpose": "internal", "commercial": True},
        "candidates": list(candidates),
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return str(folder)


def test_what_a_use_may_not_evaluate_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("steelyard.catalogue.weights.get_weights", lambda model, *rest: fetched.append(model.id) or "P")

    def judge(candidate: object, *rest: object, purpose: str, catalogue: object) -> Verdict:
        assert purpose == "evaluate"
        status = "forbidden" if "gemma" in str(candidate) else "allowed"
        return Verdict(status, (Reason(status, "§1", "no evaluation", "L"),))

    monkeypatch.setattr("steelyard.licences.judge.judge_candidate", judge)
    folder = study(tmp_path, "linear", "gemma-3-270m", "smollm2-135m-instruct", "smollm2-135m-instruct+head")
    said = CliRunner().invoke(app, ["models", "get", "--study", folder])
    assert said.exit_code == 0, said.output
    assert fetched == ["smollm2-135m-instruct"]
    assert "gemma-3-270m: not fetched, evaluating it is forbidden: no evaluation (L §1)" in said.stderr


def test_nothing_named_is_a_usage_error() -> None:
    said = CliRunner().invoke(app, ["models", "get"])
    assert said.exit_code == 2
    assert "--study" in said.stderr
