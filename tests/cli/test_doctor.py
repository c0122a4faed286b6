"""`steelyard doctor` and `version` tell what is there, and never a key's value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard import __version__
from steelyard.cli import VERBS, app


def test_keys_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-987")
    for options in ([], ["--json"]):
        said = CliRunner().invoke(app, ["doctor", *options])
        assert said.exit_code == 0
        assert "OPENAI_API_KEY" in said.output
        assert "canary" not in said.output
    assert json.loads(said.stdout)["keys"]["OPENAI_API_KEY"] is True


def test_an_empty_key_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    assert "OPENAI_API_KEY: not set" in CliRunner().invoke(app, ["doctor"]).output


def test_weights_that_are_missing_come_with_the_command_that_gets_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))
    said = CliRunner().invoke(app, ["doctor"]).output
    assert "smollm2-135m-instruct: not at hand" in said
    assert "steelyard models get" in said


def test_version_names_what_a_result_depends_on() -> None:
    document = json.loads(CliRunner().invoke(app, ["version", "--json"]).stdout)
    assert document["versions"]["steelyard"] == __version__
    assert {"python", "numpy", "scipy"} <= set(document["versions"])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    said = CliRunner().invoke(app, [verb, "--help"])
    assert said.exit_code == 0
    assert said.output.startswith("Usage: ")
