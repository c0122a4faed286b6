"""`steelyard licence` shows terms and judges them for a use; only --fail-on makes a verdict an exit code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steelyard.cli.licence import command
from steelyard.errors import Exit, GateFailed, InputError
from steelyard.licences.load import load_licences

STUDY = """
name: inbox
question: Which model?
data: {file: inbox.jsonl, input: message, target: intent, test: 40%}
task: {kind: classification, prompt: "{message}", metric: accuracy}
use: {purpose: internal, commercial: true, organisation: {kind: company, domicile: DE}}
candidates: [linear, codestral-22b]
"""

OWN = """
[[models]]
id = "llama-3.1-8b"
licence = { id = "mistral-research-0.1", revision = "0.1", from = "us" }

[sources.us]
source = "us"
as_of = "2026-11-24"
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_verdict_shows_clause_duty_question_date_and_that_it_is_not_legal_advice() -> None:
    result = run("judge", "llama-3.2-1b-instruct", "--kind", "company", "--domicile", "DE", "--field", "support")
    assert result.exit_code == 0
    for part in (
        "llama-3.2-1b-instruct: conditional under Llama 3.2 Community License",
        "§1.b.i",
        'duty: display "Built with Llama"',
        "duty: keep to the Llama 3.2 Acceptable Use Policy",
        "as of 2026-11-24",
        "Not legal advice",
    ):
        assert part in result.stdout


def test_stating_the_missing_fact_settles_the_question() -> None:
    asked = run("judge", "llama-3.2-1b-instruct", "--purpose", "internal").stdout
    assert "more than 700,000,000?" in asked
    told = run("judge", "llama-3.2-1b-instruct", "--purpose", "internal", "--users-at", "2024-09-25=15000").stdout
    assert "more than 700,000,000?" not in told


def test_verdicts_are_one_json_document_when_asked() -> None:
    document = json.loads(run("judge", "codestral-22b", "linear", "--json").stdout)
    assert [row["verdict"] for row in document["verdicts"]] == ["forbidden", "allowed"]
    assert all(row["status"] == row["verdict"] for row in document["verdicts"])
    assert "Not legal advice" in document["note"]


def test_a_forbidden_verdict_is_a_result_and_fails_only_on_demand() -> None:
    assert run("judge", "codestral-22b").exit_code == 0
    result = run("judge", "codestral-22b", "--fail-on", "unknown")
    assert isinstance(result.exception, GateFailed)
    assert result.exception.exit_code == Exit.GATE
    assert run("judge", "linear", "--fail-on", "conditional").exit_code == 0


def test_a_study_is_judged_for_its_own_use(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    (tmp_path / "inbox.jsonl").write_text('{"message": "hello", "intent": "greeting"}\n', "utf-8")
    result = run("judge", "--study", str(tmp_path))
    assert result.exception is None, result.exception
    assert "linear: allowed" in result.stdout
    assert "no use by employees in the business" in result.stdout
    assert "codestral-22b: allowed" in run("judge", "--study", str(tmp_path), "--purpose", "evaluate").stdout


def test_models_and_a_study_at_once_or_neither_is_a_usage_error() -> None:
    neither, both = run("judge"), run("judge", "linear", "--study", "x")
    assert (neither.exit_code, both.exit_code) == (2, 2)
    assert "name the models to judge, or a study with --study STUDY" in neither.stderr
    assert "not both" in both.stderr
    assert run("judge", "linear", "--users-at", "soon=many").exit_code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--domicile", "Germany"),
        ("--domicile", "de"),
        ("--domicile", ""),
        ("--users-in", "DE, fr"),
        ("--monthly-revenue", "-5"),
        ("--users-at", "2024-09-25=-1"),
    ],
)
def test_options_are_held_to_the_rules_of_a_study_file(option: str, value: str) -> None:
    result = run("judge", "llama-3.2-11b-vision-instruct", option, value)
    assert isinstance(result.exception, InputError)
    assert [problem.where for problem in result.exception.problems] == [option]


def test_a_code_that_is_no_place_never_softens_a_verdict() -> None:
    def status(domicile: str) -> str:
        text = run("judge", "llama-3.2-11b-vision-instruct", "--domicile", domicile, "--json").stdout
        return str(json.loads(text)["verdicts"][0]["status"])

    codes = ("DE", "EU", "UK", "US")
    assert [status(code) for code in codes] == ["forbidden", "forbidden", "conditional", "conditional"]
    told = run("judge", "llama-3.2-11b-vision-instruct", "--domicile", "UK").stdout
    assert "UK is not the ISO 3166 code of a country" in told


def test_all_unknown_models_are_reported_at_once() -> None:
    result = run("judge", "codestral-22", "gemma-3-270")
    assert isinstance(result.exception, InputError)
    assert len(result.exception.problems) == 2


def test_a_licence_is_shown_clause_by_clause() -> None:
    text = run("show", "mistral-non-production-0.1").stdout
    assert "§3.2: forbidden: no use in production" in text
    assert "when: purpose=product|hosted-service" in text


def test_a_revision_can_be_chosen() -> None:
    assert "latest version" in run("show", "gemma-terms", "--revision", "2024-02-21").stdout
    assert "latest version" not in run("show", "gemma-terms").stdout


def test_an_unknown_licence_names_the_nearest() -> None:
    result = run("show", "llama-3.4")
    assert isinstance(result.exception, InputError)
    assert "did you mean 'llama-3." in str(result.exception)


def test_terms_are_one_json_document_when_asked_with_what_each_clause_asks() -> None:
    shown = json.loads(run("show", "mistral-non-production-0.1", "--json").stdout)["licence"]
    assert (shown["id"], shown["read"]) == ("mistral-non-production-0.1", "whole")
    clause = next(clause for clause in shown["clauses"] if clause["section"] == "§3.2")
    assert clause["effect"] == "forbidden"
    assert "product" in clause["when"]["purpose"]
    assert clause["unless"] == {}


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json")])
def test_the_list_says_how_much_was_read(arguments: tuple[str, ...]) -> None:
    text = run(*arguments).stdout
    assert "mistral-non-production-0.1" in text
    assert "whole" in text
    assert "none" in text


def test_terms_can_be_judged_without_a_model() -> None:
    text = run("judge", "--licence", "mit OR mrl", "--licence", "mrl", "--purpose", "internal").stdout
    assert "mit OR mrl: allowed under MIT License" in text
    assert "mrl: forbidden under Mistral AI Research License" in text


def test_the_matrix_has_every_licence_and_a_verdict_for_every_use() -> None:
    rows = json.loads(run("matrix", "--kind", "company", "--domicile", "DE", "--json").stdout)["rows"]
    by_id = {row["licence"]: row for row in rows}
    assert set(by_id) == set(load_licences().by_id)
    assert by_id["mit"]["distribute-weights"] == "allowed"
    assert by_id["mistral-research-0.1"]["evaluate"] == "forbidden"
    assert by_id["tongyi-qianwen"]["train-others"] == "forbidden"
    words = {"allowed", "conditional", "forbidden", "unknown"}
    assert all(set(list(row.values())[2:]) <= words for row in rows)


def test_the_matrix_can_be_read_by_a_spreadsheet() -> None:
    lines = list(csv.DictReader(run("matrix", "--csv").stdout.splitlines()))
    assert next(line["product"] for line in lines if line["licence"] == "mit") == "allowed"
    assert run("matrix", "--csv", "--json").exit_code == 2


def test_who_asks_changes_the_matrix() -> None:
    def evaluate(*who: str) -> str:
        rows = json.loads(run("matrix", "--json", *who).stdout)["rows"]
        return str(next(row["evaluate"] for row in rows if row["licence"] == "mistral-research-0.1"))

    assert evaluate("--kind", "company") == "forbidden"
    assert evaluate("--kind", "academic", "--no-commercial") == "allowed"


def test_open_questions_of_a_study_stand_under_the_field_that_answers_them(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("codestral-22b", "llama-3.2-1b-instruct"), "utf-8")
    (tmp_path / "inbox.jsonl").write_text('{"message": "hello", "intent": "greeting"}\n', "utf-8")
    text = run("questions", str(tmp_path)).stdout
    assert text.index("use.users.monthly_active_at") < text.index("more than 700,000,000?")
    rows = json.loads(run("questions", str(tmp_path), "--json").stdout)["questions"]
    assert {row["field"] for row in rows} >= {"use.users.monthly_active_at", "use.field"}
    assert all(row["candidates"] == ["llama-3.2-1b-instruct"] for row in rows)


def test_a_study_without_open_questions_says_so(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace(", codestral-22b", ""), "utf-8")
    (tmp_path / "inbox.jsonl").write_text('{"message": "hello", "intent": "greeting"}\n', "utf-8")
    assert run("questions", str(tmp_path)).stdout == "no licence question is open\n"


def test_a_limit_is_told_with_what_is_left() -> None:
    text = run("judge", "--licence", "mistral-modified-mit-20m", "--monthly-revenue", "5000000").stdout
    assert "threshold: monthly revenue of the group in USD: limit 20,000,000, 5,000,000 leaves 15,000,000 (75%)" in text


def test_a_batch_that_is_not_there_is_named() -> None:
    result = run("judge", "--batch", "no-such-file.jsonl")
    assert isinstance(result.exception, InputError)
    assert "no-such-file.jsonl" in str(result.exception)


def test_ones_own_facts_of_a_base_bind_what_derives_from_it(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("codestral-22b", "deepseek-r1-distill-llama-8b"), "utf-8")
    (tmp_path / "inbox.jsonl").write_text('{"message": "hello", "intent": "greeting"}\n', "utf-8")
    name = "deepseek-r1-distill-llama-8b"
    assert f"{name}: conditional" in run("judge", "--study", str(tmp_path)).stdout
    (tmp_path / "models.toml").write_text(OWN, "utf-8")
    text = run("judge", "--study", str(tmp_path)).stdout
    assert f"{name}: forbidden under MIT License and Mistral AI Research License" in text
    assert "the tag MIT License hides a base" in text
