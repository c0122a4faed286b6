"""`steelyard report`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.decision.samples import sample_decision

from steelyard.cli.report import command
from steelyard.decision.store import from_json, save
from steelyard.errors import SteelyardError


@pytest.fixture
def study(tmp_path: Path) -> Path:
    save(sample_decision(), tmp_path / ".steelyard")
    (tmp_path / "study.yaml").write_text("name: support-inbox\n")
    return tmp_path


def run(*arguments: str) -> bytes:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout_bytes


@pytest.mark.parametrize("named", ["", "study.yaml"])
def test_a_folder_and_its_study_file_mean_the_same(study: Path, named: str) -> None:
    said = run(str(study / named))
    path = study / ".steelyard" / "report.html"
    assert said.decode().strip() == str(path)
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_json_on_standard_output_is_the_decision_itself(study: Path) -> None:
    assert from_json(run(str(study), "--json")) == sample_decision()


def test_markdown_goes_where_it_is_asked_to_go(study: Path) -> None:
    target = study / "out.md"
    run(str(study), "--md", "--output", str(target))
    assert target.read_text("utf-8").startswith("# Which model")
    assert run(str(study), "--md", "--output", "-").startswith(b"# Which model")


def slugs(*arguments: str) -> list[str]:
    with pytest.raises(SteelyardError) as raised:
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    return [problem.slug for problem in raised.value.problems]


def test_without_a_run_the_next_step_is_named(tmp_path: Path) -> None:
    assert slugs(str(tmp_path)) == ["no-decision"]


def test_a_study_that_is_not_there_is_an_error_of_the_input(tmp_path: Path) -> None:
    assert slugs(str(tmp_path / "nothing.yaml")) == ["study-not-found"]


def test_an_output_that_cannot_be_written_is_an_error_of_the_input(study: Path) -> None:
    assert slugs(str(study), "--output", str(study / "missing" / "report.html")) == ["output-not-writable"]


@pytest.mark.parametrize("forms", [("--md", "--json"), ("--html", "--md"), ("--html", "--json")])
def test_two_forms_at_once_are_refused(study: Path, forms: tuple[str, str]) -> None:
    result = CliRunner().invoke(command, [str(study), *forms])
    assert result.exit_code == 2
    assert "name one of --html, --md and --json" in result.output
